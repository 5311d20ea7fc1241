"""``gradus doctor``: what gradus found on this machine."""

from __future__ import annotations

from gradus.cli.options import FlatSession, Session


def command(*, session: FlatSession = Session()) -> int:
    """Show versions, devices, threads, and which implementation every kernel uses here."""
    from gradus.cli.show import print_json
    from gradus.core.devices import use_threads
    from gradus.runs.diagnosis import diagnose

    use_threads(session.threads)
    facts = diagnose()
    if session.json:
        print_json(facts)
        return 0
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    for section, entries in facts.items():
        table = Table(title=section, title_justify="left", show_header=False)
        for name, value in entries.items():
            table.add_row(name, str(value))
        console.print(table)
    return 0
