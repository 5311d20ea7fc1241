"""Draws how exact the forces of the grid are, for docs/derivations/tsne.md: `python docs/pictures/tsne_forces.py`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure
from openTSNE import _tsne
from sklearn.datasets import load_digits

from gradus import TSNE
from gradus.tsne import ExactRepulsion, GridRepulsion, Rule
from gradus.tsne.repulsion import ORDER, SPACING

if TYPE_CHECKING:
    from torch import Tensor

STYLE = {"svg.fonttype": "none", "svg.hashsalt": "gradus", "font.size": 8, "axes.titlesize": 8, "axes.linewidth": 0.5}
SPACINGS = (1.0, 0.85, 0.7, 0.6, 0.5, 0.45, 0.4, 1 / 3, 0.25, 0.2)
DOFS = {0.5: "#3f90da", 1.0: "#bd1f01", 2.0: "#832db6", 10.0: "#94a4a2"}
LINES = {4: "-", 6: "--"}


def digits() -> Tensor:
    """Return a map of all 1,797 digits."""
    return torch.from_numpy(TSNE().fit_transform(load_digits().data))


def clusters() -> Tensor:
    """Return ten clusters of 300 points."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(10, 2, generator=generator) * 25
    return centres.repeat_interleave(300, 0) + torch.randn(3000, 2, generator=generator) * 3


def error_of(found: Tensor, exact: Tensor) -> float:
    """Return the length of all errors over that of all forces."""
    return float((found.double() - exact.double()).norm() / exact.double().norm())


def grid_error(points: Tensor, rule: Rule) -> float:
    """Return the error of the grid, relative to the sum over all pairs."""
    return error_of(GridRepulsion(rule)(points)[0], ExactRepulsion(rule.dof)(points)[0])


def open_tsne_error(points: Tensor, dof: float) -> float:
    """Return the error of openTSNE's interpolation as it is used by default, in double precision."""
    theirs = np.zeros(points.shape)
    normaliser = _tsne.estimate_negative_gradient_fft_2d(
        points.double().numpy(), theirs, dof=dof, n_interpolation_points=3, min_num_intervals=50, ints_in_interval=1
    )
    # divided by Z already, and with the other sign
    return error_of(torch.from_numpy(-theirs * normaliser), ExactRepulsion(dof)(points)[0])


def force_errors() -> Figure:
    """Draw the error over the spacing, on a map of digits and on clusters, for each order and dof."""
    figure = Figure(figsize=(7.2, 3.2), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (name, points) in zip(
        panels, {"a map of 1,797 digits": digits(), "ten clusters of 300 points": clusters()}.items(), strict=True
    ):
        for dof, colour in DOFS.items():
            for order, line in LINES.items():
                errors = [grid_error(points, Rule(dof, spacing, order)) for spacing in SPACINGS]
                axes.loglog(SPACINGS, errors, line, color=colour, linewidth=1, label=f"dof {dof:g}, order {order}")
            theirs = open_tsne_error(points, dof)
            axes.loglog([SPACINGS[-1], SPACINGS[0]], [theirs] * 2, ":", color=colour, linewidth=0.8)
        axes.plot(SPACING, grid_error(points, Rule(1.0, SPACING, ORDER)), "o", color=DOFS[1.0], label="default")
        axes.set(title=name, xlabel="spacing h; dotted: openTSNE", xticks=[0.2, 0.5, 1.0])
        axes.set_xticklabels(["0.2", "0.5", "1"])
        axes.set_xticks([], minor=True)
    panels[0].set_ylabel("relative error of all forces")
    panels[1].legend(frameon=False, fontsize=6.5)
    return figure


def write_picture(folder: Path) -> Path:
    """Write the picture into ``folder`` and return the file."""
    path = folder / "tsne-force-error.svg"
    with matplotlib.rc_context(STYLE):
        force_errors().savefig(path, metadata={"Date": None})
    return path


if __name__ == "__main__":
    sys.stdout.write(f"{write_picture(Path(__file__).parent)}\n")
