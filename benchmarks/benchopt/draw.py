"""``python benchmarks/benchopt/draw.py L1.parquet L2.parquet``: the curves of benchopt's runs, and a table of times."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from benchmarks.measure import machine

RESULTS = Path(__file__).parents[1] / "results"
# a curve has got there when it is this far above the lowest value that any solver reached, relative to it
REACHED = (1e-4, 1e-8)


def problems(tables: list[Path]) -> dict[str, pd.DataFrame]:
    """Return the runs of each problem, named by objective and data."""
    runs = pd.concat([pd.read_parquet(table) for table in tables])
    parts = runs.groupby(["objective_name", "data_name"] if "data_name" in runs else ["objective_name", "dataset_name"])
    return {f"{objective}\n{data}": part for (objective, data), part in parts}


def curves(part: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return time and relative distance from the lowest value, by solver."""
    lowest = part["objective_value"].min()
    above = part.assign(above=(part["objective_value"] - lowest) / abs(lowest))
    return {name: rows.sort_values("stop_val") for name, rows in above.groupby("solver_name")}


def draw(found: dict[str, pd.DataFrame], path: Path) -> None:
    """Draw one panel for each problem."""
    rows_of_panels = -(-len(found) // 3)
    size = (13.5, 4.2 * rows_of_panels)
    figure, axes = plt.subplots(rows_of_panels, 3, figsize=size, layout="constrained", squeeze=False)
    for axis, (name, part) in zip(axes.ravel(), found.items(), strict=False):
        for solver, rows in curves(part).items():
            ours = solver.startswith("gradus")
            axis.loglog(
                rows["time"], rows["above"].clip(lower=1e-14), label=solver, lw=2.6 if ours else 1.4, marker="."
            )
        axis.set(title=name, xlabel="seconds", ylabel="(objective - lowest) / lowest")
        axis.title.set_fontsize(8)
        axis.legend(fontsize=7)
        axis.grid(alpha=0.3)
    figure.savefig(path, dpi=80)


def table(found: dict[str, pd.DataFrame]) -> str:
    """Return a Markdown table of the first time at which each solver has got there."""
    lines = [f"| problem | solver | {' | '.join(f'{level:g} above, s' for level in REACHED)} |", "|---|---|---:|---:|"]
    for name, part in found.items():
        for solver, rows in curves(part).items():
            cells = [rows.loc[rows["above"] <= level, "time"].min() for level in REACHED]
            shown = ["never" if pd.isna(cell) else f"{cell:.3g}" for cell in cells]
            lines.append(f"| {name.replace(chr(10), ', ')} | {solver} | {' | '.join(shown)} |")
    return "\n".join(lines)


def main(tables: list[Path]) -> None:
    """Write the picture and the page."""
    found = problems(tables)
    draw(found, RESULTS / "benchopt.png")
    here = machine()
    page = f"""# benchopt's logistic regressions

{datetime.date.today():%Y-%m-%d}, {here["processor"]}, {here["cores"]} cores. `benchmark_logreg_l1` and
`benchmark_logreg_l2` as published, with the solver files of `benchmarks/benchopt`; benchopt 1.10 itself needs one
attribute set first (benchmarks/benchopt/README.md). cyanure is missing, because its solver file there does not import
the present version. One repetition, so only large ratios mean something.
Seconds until the objective, evaluated by benchopt, is so
far above the lowest that any solver reached; every point of a curve is a run from the start.

![curves](benchopt.png)

{table(found)}
"""
    (RESULTS / "benchopt.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main([Path(name) for name in sys.argv[1:]])
