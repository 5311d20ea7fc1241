"""The result of a command on stdout: a table for a person, one JSON object for a program."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gradus.runs.directory import MAP, METRICS, MODEL, PICTURE, REPORT, RunDirectory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from gradus.cli.options import Session


def show(directory: RunDirectory, steps: Sequence[str], session: Session) -> int:
    """Print what ``steps`` left in ``directory`` and return the exit code."""
    result = _result(directory, steps)
    if session.json:
        print_json(result)
    else:
        console = Console(highlight=False, soft_wrap=True)
        for part in ("fit", "errors", "map"):
            if part in result:
                _PRINTERS[part](console, result[part])
        console.print(f"{result['wrote']}", style="bold", markup=False)
    return 0


def show_predictions(predictions: pa.Table, path: Path, session: Session) -> int:
    """Print how many rows were given which class, and return the exit code."""
    counts = Counter(predictions["predicted"].to_pylist())
    if session.json:
        print_json({"rows": len(predictions), "predicted": dict(counts.most_common()), "wrote": str(path)})
        return 0
    table = Table(title=f"{len(predictions):,} rows", title_justify="left")
    table.add_column("predicted")
    table.add_column("rows", justify="right")
    for name, count in counts.most_common(20):
        table.add_row(Text(name), f"{count:,}")
    console = Console(highlight=False, soft_wrap=True)
    console.print(table)
    console.print(str(path), style="bold", markup=False)
    return 0


def print_json(result: dict[str, Any]) -> None:
    """Print one JSON object to stdout."""
    Console(soft_wrap=True, highlight=False).print(
        json.dumps(result, indent=2, ensure_ascii=False), markup=False, emoji=False
    )


def _result(directory: RunDirectory, steps: Sequence[str]) -> dict[str, Any]:
    result: dict[str, Any] = {"run": str(directory.path)}
    if "evaluate" in steps:
        result["errors"] = json.loads((directory / METRICS).read_text(encoding="utf-8"))
    elif "fit" in steps:
        from gradus.runs.model import load

        record = load(directory / MODEL).record
        result["fit"] = asdict(record) | record.facts()
    if "map" in steps:
        from gradus.runs.mapping import load_map

        drawn = load_map(directory / MAP)
        result["map"] = dict(drawn.settings) | {"quality": dict(drawn.quality)}
    last = {"fit": MODEL, "evaluate": METRICS, "map": PICTURE, "report": REPORT}[steps[-1]]
    return result | {"wrote": str(directory / last)}


def _print_fit(console: Console, fit: dict[str, Any]) -> None:
    if fit.get("model") == "convnet":
        console.print(
            f"Trained on {fit['train_rows']:,} images: a network of {fit['parameters']:,} parameters; "
            f"{fit['status']} after {fit['epochs']} epochs, loss {fit['losses'][-1]:.3f}",
            markup=False,
        )
        return
    gap = fit["relative_gap"]
    certificate = "no duality gap at alpha 0" if gap is None else f"relative duality gap {gap:.1e}"
    chosen = f", chosen on {fit['validation_rows']:,} validation rows" if fit["path"] else ""
    console.print(
        f"Fitted on {fit['train_rows']:,} rows: alpha {fit['alpha']:.3g}{chosen}; "
        f"{fit['status']} after {fit['iterations']} iterations, {certificate}",
        markup=False,
    )


def _print_errors(console: Console, metrics: dict[str, Any]) -> None:
    rows, level = metrics["rows"], metrics["interval"]["level"]
    table = Table(title=f"Top-k error on {rows['test']:,} held-out rows", title_justify="left")
    table.add_column("k", justify="right")
    for heading in ("error", f"{level:.0%} interval", "mean over classes"):
        table.add_column(heading, justify="right")
    for entry in metrics["top_k"]:
        if entry["k"] in (1, 2, 3, 5, 10):
            interval = f"{entry['low']:.2%} to {entry['high']:.2%}"
            table.add_row(str(entry["k"]), f"{entry['error']:.2%}", interval, f"{entry['macro']:.2%}")
    console.print(table)
    for pair in metrics.get("comparison", {}).get("top_k", ()):
        console.print(_compared(metrics["comparison"], pair), markup=False)
    baseline = metrics["baseline"]
    console.print(
        f"Always answering {baseline['class']!r} would err on {baseline['error']:.2%}. "
        f"Cross-entropy {metrics['cross_entropy']:.4f} nats; {metrics['ties']:.2%} of the rows have ties.",
        markup=False,
    )
    _print_fit(console, metrics["fit"] | {f"{part}_rows": count for part, count in rows.items()})


def _compared(names: dict[str, Any], pair: dict[str, Any]) -> str:
    return (
        f"Top-{pair['k']}: {names['a']} errs on {pair['error_a']:.2%}, {names['b']} on {pair['error_b']:.2%} of the "
        f"same rows; difference {pair['difference']:+.2%} ({pair['low']:+.2%} to {pair['high']:+.2%})"
    )


def _print_map(console: Console, drawn: dict[str, Any]) -> None:
    from gradus.report.map_figures import figure_words

    settings = ", ".join(f"{name} {value}" for name, value in drawn.items() if name != "quality")
    console.print(f"Map: {settings}", markup=False)
    for name, value in figure_words(drawn["quality"]).items():
        console.print(f"  {name}: {value}", markup=False)


_PRINTERS = {"fit": _print_fit, "errors": _print_errors, "map": _print_map}
