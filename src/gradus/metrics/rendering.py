"""Top-k errors as a table, for a terminal and for a notebook."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradus.metrics.result import TopKErrors

_METHODS = {
    "wilson": "Wilson",
    "clopper-pearson": "Clopper-Pearson",
    "bootstrap": "bootstrap",
    "cluster-bootstrap": "cluster bootstrap",
}


def as_text(result: TopKErrors) -> str:
    """Return ``result`` as an aligned table with a heading and its notes."""
    head, body = _cells(result)
    widths = [max(len(row[column]) for row in [head, *body]) for column in range(len(head))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [head, *body]]
    return "\n".join([heading(result), *lines, *result.notes])


def as_html(result: TopKErrors) -> str:
    """Return ``result`` as an HTML table; every text is escaped."""
    head, body = _cells(result)
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    rows = "".join(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in body)
    notes = "".join(f"<p>{html.escape(note)}</p>" for note in result.notes)
    caption = html.escape(heading(result))
    return f"<table><caption>{caption}</caption><thead><tr>{top}</tr></thead><tbody>{rows}</tbody></table>{notes}"


def heading(result: TopKErrors) -> str:
    """Return one line on what the figures are of."""
    interval = f"{_METHODS.get(result.method, result.method)} intervals at {result.level:.3g}"
    return f"Top-k error of {result.rows:,} rows, {len(result.classes):,} classes; {interval}; ties {result.ties:.2%}"


def _cells(result: TopKErrors) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of the table; the readings of ties are left out where there are none."""
    tied = result.ties > 0
    head = ["k", "error", "interval", *(["optimistic", "pessimistic"] if tied else []), "macro", "interval"]
    body = []
    for k in result.k:
        figures = result[k]
        readings = [_share(figures.optimistic), _share(figures.pessimistic)] if tied else []
        interval = f"{_share(figures.low)} .. {_share(figures.high)}"
        macro = f"{_share(figures.macro_low)} .. {_share(figures.macro_high)}"
        body.append([str(k), _share(figures.error), interval, *readings, _share(figures.macro), macro])
    return head, body


def _share(value: float) -> str:
    return f"{value:.4f}"
