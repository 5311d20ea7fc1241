"""Draws the pictures of docs/penalties.md: `python docs/pictures/penalties.py` writes them beside this file."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import matplotlib
import torch
from matplotlib.figure import Figure

from gradus.optim import of_filters
from gradus.penalties import (
    L0,
    L1,
    L2,
    MCP,
    SCAD,
    AffineSet,
    Box,
    BoxedL1,
    ConjugateOf,
    ElasticNet,
    Entropy,
    GroupLasso,
    Groups,
    HalfSpace,
    Huber,
    IndexGroupLasso,
    L1Ball,
    L2Ball,
    LHalf,
    LInf,
    LInfBall,
    LogSum,
    Nonnegative,
    NonnegativeGroupLasso,
    NonnegativeL1,
    Nuclear,
    Rank,
    RankAtMost,
    RowsAtMost,
    SecondOrderCone,
    SemidefiniteCone,
    Simplex,
    Slope,
    SparseGroupLasso,
    SpectralBall,
    TotalVariation,
    WeightedGroupLasso,
    Zero,
)

LINE, SHADE, PALE = "#1f6feb", "#b6d4fe", "#8a8f98"
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "gradus", "font.size": 8, "axes.titlesize": 8, "axes.linewidth": 0.5}

# of one variable: the prox with step 1
OF_ONE_VARIABLE = {
    "Zero": Zero(),
    "L1": L1(1.0),
    "L2": L2(1.0),
    "ElasticNet": ElasticNet(1.0, 1.0),
    "Huber": Huber(1.0, delta=0.8),
    "NonnegativeL1": NonnegativeL1(1.0),
    "BoxedL1": BoxedL1(1.0, low=-1.0, high=2.0),
    "Entropy": Entropy(1.0),
    "L0": L0(1.0),
    "LHalf": LHalf(1.0),
    "MCP": MCP(1.0, gamma=2.5),
    "SCAD": SCAD(1.0, knee=3.0),
    "LogSum": LogSum(1.0, epsilon=0.3),
    "Box": Box(-1.0, 2.0),
    "LInfBall": LInfBall(1.5),
    "Nonnegative": Nonnegative(),
}

# of points (x, y): where the penalty is at most 1
BALLS = {
    "L1": L1(1.0),
    "L2": L2(2.0),
    "ElasticNet": ElasticNet(0.5, 1.0),
    "Huber": Huber(3.0, delta=0.4),
    "LInf": LInf(1.0),
    "Slope": Slope(torch.tensor([1.0, 0.5])),
    "GroupLasso": GroupLasso(1.0),
    "SparseGroupLasso": SparseGroupLasso(0.5, 0.5),
    "WeightedGroupLasso": WeightedGroupLasso(1.0, torch.tensor([0.6, 2.0])),
    "NonnegativeL1": NonnegativeL1(1.0),
    "NonnegativeGroupLasso": NonnegativeGroupLasso(1.0),
    "BoxedL1": BoxedL1(1.0, low=-0.3, high=0.7),
    "TotalVariation": TotalVariation(1.5),
    "Entropy": Entropy(2.0),
    "LHalf": LHalf(1.0),
    "MCP": MCP(1.2, gamma=0.8),
    "SCAD": SCAD(1.0, knee=1.5),
    "LogSum": LogSum(0.6, epsilon=0.2),
}

# of symmetric matrices ((x, y), (y, 0)); the spectral norm is the gauge of the nuclear norm
MATRIX_BALLS = {"Nuclear": Nuclear(1.0), "SpectralBall": ConjugateOf(Nuclear(1.0))}

# sets of the plane with some points and where they go; the cone has (x, y) with |x| <= y
SETS = {
    "Simplex": Simplex(1.0),
    "L1Ball": L1Ball(1.0),
    "L2Ball": L2Ball(1.0),
    "LInfBall": LInfBall(1.0),
    "Box": Box(torch.tensor([-1.0, -0.5]), torch.tensor([0.5, 1.0])),
    "Nonnegative": Nonnegative(),
    "HalfSpace": HalfSpace(torch.tensor([1.0, 2.0]), offset=0.5),
    "AffineSet": AffineSet(torch.tensor([[1.0, 2.0]]), torch.tensor([0.5])),
    "SecondOrderCone": SecondOrderCone(),
    "RowsAtMost": of_filters(RowsAtMost(0.5)),
}

# of vectors, what happens to the entries
OF_VECTORS = {
    "LInf": LInf(2.0),
    "Slope": Slope(torch.linspace(1.6, 0.2, 12)),
    "IndexGroupLasso": IndexGroupLasso(1.0, Groups([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])),
    "TotalVariation": TotalVariation(1.0),
}

# of matrices, what happens to the singular values or eigenvalues
OF_MATRICES = {
    "Nuclear": Nuclear(1.0),
    "Rank": Rank(1.5),
    "RankAtMost": RankAtMost(3),
    "SpectralBall": SpectralBall(2.0),
    "SemidefiniteCone": SemidefiniteCone(),
}


def proxes_of_one_variable() -> Figure:
    """Each prox of one variable, with the identity dotted."""
    figure, panels = _grid(len(OF_ONE_VARIABLE), 4)
    v = torch.linspace(-4, 4, 401, dtype=torch.float64)
    for (name, penalty), panel in zip(OF_ONE_VARIABLE.items(), panels, strict=True):
        u = penalty.prox(v, 1.0)
        # a jump is not a line
        u = u.where(torch.cat([torch.tensor([False]), u.diff().abs() > 0.3]).logical_not(), float("nan"))
        panel.plot(v, v, ":", color=PALE, linewidth=0.7)
        panel.plot(v, u, color=LINE, linewidth=1.4)
        panel.set(title=name, xlim=(-4, 4), ylim=(-4, 4), xticks=(-3, 0, 3), yticks=(-3, 0, 3), aspect="equal")
    return figure


def unit_balls() -> Figure:
    """Where each penalty of two variables is at most 1."""
    rows = {**BALLS, **MATRIX_BALLS}
    figure, panels = _grid(len(rows), 5)
    axis = torch.linspace(-1.6, 1.6, 49, dtype=torch.float64)
    for (name, penalty), panel in zip(rows.items(), panels, strict=True):
        measure = penalty.inner.gauge if name == "SpectralBall" else penalty.value
        values = [[float(measure(_plane_point(name, x, y))) for x in axis] for y in axis]
        inside = torch.tensor(values).nan_to_num(posinf=9.0).clamp_max(9.0) - 1.0
        panel.contourf(axis, axis, inside, levels=[-99.0, 0.0], colors=[SHADE])
        panel.contour(axis, axis, inside, levels=[0.0], colors=[LINE], linewidths=1.2)
        panel.set(title=name, xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
    return figure


def projections() -> Figure:
    """Points of the plane and the nearest points of each set."""
    figure, panels = _grid(len(SETS), 5)
    angles = torch.arange(12, dtype=torch.float64) * (torch.pi / 6) + 0.2
    around = 1.9 * torch.stack([angles.cos(), angles.sin()], dim=1)
    axis = torch.linspace(-2, 2, 41, dtype=torch.float64)
    plane = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1).reshape(-1, 2)
    for (name, penalty), panel in zip(SETS.items(), panels, strict=True):
        image = torch.stack([penalty.prox(point, 1.0) for point in plane])
        panel.plot(*image.T.round(decimals=2).unique(dim=1), ".", color=SHADE, markersize=3, rasterized=True)
        for start in around:
            panel.plot(*torch.stack([start, penalty.prox(start, 1.0)]).T, "-", color=PALE, linewidth=0.6)
        panel.plot(*torch.stack([penalty.prox(start, 1.0) for start in around]).T, ".", color=LINE, markersize=4)
        panel.set(title=name, xlim=(-2, 2), ylim=(-2, 2), xticks=(-1, 0, 1), yticks=(-1, 0, 1), aspect="equal")
    return figure


def proxes_of_vectors_and_matrices() -> Figure:
    """Entries, singular values or eigenvalues before (pale) and after (blue)."""
    figure, panels = _grid(len(OF_VECTORS) + len(OF_MATRICES), 5)
    generator = torch.Generator().manual_seed(3)
    entries = torch.tensor([3.0, -2.6, 2.4, -2.2, 0.6, -0.5, 0.4, 0.3, 1.6, 1.4, -1.5, 1.2], dtype=torch.float64)
    signal = torch.tensor([0.0] * 8 + [2.0] * 8 + [1.0] * 8) + 0.4 * torch.randn(24, generator=generator)
    for (name, penalty), panel in zip(OF_VECTORS.items(), panels, strict=False):
        before = signal if name == "TotalVariation" else entries
        _before_and_after(panel, name, before, penalty.prox(before, 1.0))
    basis = torch.linalg.qr(torch.randn(6, 6, generator=generator, dtype=torch.float64)).Q
    spectrum = torch.tensor([3.2, 2.6, 2.0, 1.5, 0.9, 0.4], dtype=torch.float64)
    for (name, penalty), panel in zip(OF_MATRICES.items(), panels[len(OF_VECTORS) :], strict=True):
        before = spectrum - 1.3 if name == "SemidefiniteCone" else spectrum
        after = penalty.prox(basis @ before.diag() @ basis.T, 1.0)
        _before_and_after(panel, name, before, (basis.T @ after @ basis).diag())
    return figure


PICTURES = {
    "proxes.svg": proxes_of_one_variable,
    "unit-balls.svg": unit_balls,
    "projections.svg": projections,
    "vectors-and-matrices.svg": proxes_of_vectors_and_matrices,
}


def write_pictures(folder: Path) -> list[Path]:
    """Write every picture into ``folder`` and return the files."""
    paths = []
    with matplotlib.rc_context(STYLE):
        for name, draw in PICTURES.items():
            path = folder / name
            draw().savefig(path, metadata={"Date": None}, bbox_inches="tight", dpi=60)
            # a tenth of a point is enough for the eye
            path.write_text(re.sub(r"(\d\.\d)\d+", r"\1", path.read_text(encoding="utf-8")), encoding="utf-8")
            paths.append(path)
    return paths


def _grid(count: int, columns: int) -> tuple[Figure, list]:
    rows = -(-count // columns)
    figure = Figure(figsize=(1.75 * columns, 1.85 * rows), layout="constrained", facecolor="white")
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for panel in panels:
        panel.tick_params(length=2, width=0.5, labelsize=6)
    for panel in panels[count:]:
        panel.set_axis_off()
    return figure, panels[:count]


def _plane_point(name: str, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    if name in MATRIX_BALLS:
        return torch.stack([x, y, y, torch.zeros_like(x)]).reshape(2, 2)
    point = torch.stack([x, y])
    return point[None] if "GroupLasso" in name else point


def _before_and_after(panel: object, name: str, before: torch.Tensor, after: torch.Tensor) -> None:
    panel.axhline(0, color=PALE, linewidth=0.5)
    panel.plot(before, "o", color=PALE, markersize=3, markerfacecolor="white", markeredgewidth=0.8)
    panel.plot(after.clone(), ".", color=LINE, markersize=4)
    panel.set(title=name, xticks=())


if __name__ == "__main__":
    for written in write_pictures(Path(__file__).parent):
        sys.stdout.write(f"{written.name} {written.stat().st_size // 1024} kB\n")
