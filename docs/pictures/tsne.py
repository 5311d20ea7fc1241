"""Draws the pictures of docs/tsne.md: `python docs/pictures/tsne.py` writes them beside this file."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

from gradus import TSNE

STYLE = {"svg.fonttype": "none", "svg.hashsalt": "gradus", "font.size": 8, "axes.titlesize": 8, "axes.linewidth": 0.5}
COLOURS = ("#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd")


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return 900 handwritten digits and what they show."""
    rows, labels = load_digits(return_X_y=True)
    return rows[:900], labels[:900]


def scatter(axes: matplotlib.axes.Axes, points: np.ndarray, labels: np.ndarray, title: str) -> None:
    """Draw one map."""
    axes.scatter(*points.T, s=3, c=[COLOURS[label] for label in labels], linewidths=0, rasterized=True)
    axes.set(aspect="equal", xticks=[], yticks=[], title=title)
    axes.set_aspect("equal", adjustable="datalim")


def strip(maps: dict[str, np.ndarray], labels: np.ndarray) -> Figure:
    """Return maps side by side."""
    figure = Figure(figsize=(2.3 * len(maps), 2.6), layout="constrained")
    for axes, (title, points) in zip(np.atleast_1d(figure.subplots(1, len(maps))), maps.items(), strict=True):
        scatter(axes, points, labels, title)
    return figure


def perplexities() -> Figure:
    """Draw how the perplexity sets the size of what is kept together."""
    rows, labels = digits()
    several: dict[str, float | list[float]] = {
        "perplexity 3": 3,
        "30": 30,
        "200": 200,
        "10 and 200": [10, 200],
    }
    return strip({title: TSNE(perplexity=value).fit_transform(rows) for title, value in several.items()}, labels)


def exaggerations() -> Figure:
    """Draw the map without early exaggeration, with it, while it lasts, and under late exaggeration."""
    rows, labels = digits()
    long = {"early_exaggeration_iter": 250, "max_iter": 750, "init": "random", "random_state": 2}
    maps = {
        "none, random start": TSNE(**long | {"early_exaggeration_iter": 0}).fit_transform(rows),
        "12 for 250 iterations": TSNE(**long).fit_transform(rows),
        "at its end": TSNE(**long | {"max_iter": 250}).fit_transform(rows),
        "late exaggeration 4": TSNE(late_exaggeration=4, **long).fit_transform(rows),
    }
    return strip(maps, labels)


def tails() -> Figure:
    """Draw how the degrees of freedom give the clusters room."""
    rows, labels = digits()
    values = {"dof 100, nearly Gaussian": 100.0, "2": 2.0, "1: t-SNE": 1.0, "0.5": 0.5}
    return strip({title: TSNE(dof=value).fit_transform(rows) for title, value in values.items()}, labels)


def crowding() -> Figure:
    """Draw where the pairs of a ball in many dimensions are, what a plane has room for, and the kernels that differ."""
    figure = Figure(figsize=(7.2, 2.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    generator = np.random.default_rng(0)
    for dimensions, colour in ((2, COLOURS[0]), (10, COLOURS[1]), (50, COLOURS[2])):
        directions = generator.normal(size=(700, dimensions))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        points = directions * generator.random((700, 1)) ** (1 / dimensions)
        apart = np.linalg.norm(points[:350] - points[350:], axis=1)
        nearest = np.sort(np.linalg.norm(points[:, None] - points[None], axis=2), axis=1)[:, 1].mean()
        share = np.full(len(apart), 1 / len(apart))
        bins = np.geomspace(0.8, 120, 45)
        name = f"{dimensions} dimensions"
        left.hist(apart / nearest, bins, weights=share, histtype="step", color=colour, label=name)
    left.set(
        title="distance of two points of a ball, in units\nof the distance to the nearest neighbour",
        yticks=[],
        xscale="log",
    )
    left.legend(frameon=False)
    distance = np.linspace(0, 6, 200)
    right.plot(distance, np.exp(-(distance**2)), color="#8a8f98", linestyle=":", label="Gaussian")
    for dof, colour in ((10.0, COLOURS[0]), (1.0, COLOURS[2]), (0.5, COLOURS[4])):
        right.plot(distance, (1 + distance**2 / dof) ** -dof, color=colour, label=f"dof {dof:g}")
    right.set(title="how near two points of the map count,\nby their distance", yticks=[0, 1])
    right.legend(frameon=False)
    return figure


PICTURES = {
    "tsne-perplexity": perplexities,
    "tsne-exaggeration": exaggerations,
    "tsne-dof": tails,
    "tsne-crowding": crowding,
}


def write_pictures(folder: Path) -> list[Path]:
    """Write every picture into ``folder`` and return the files."""
    written = []
    with matplotlib.rc_context(STYLE):
        for name, draw in PICTURES.items():
            path = folder / f"{name}.svg"
            draw().savefig(path, dpi=150, metadata={"Date": None})
            written.append(path)
    return written


if __name__ == "__main__":
    for path in write_pictures(Path(__file__).parent):
        sys.stdout.write(f"{path}\n")
