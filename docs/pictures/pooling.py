"""Draws the picture of docs/pooling.md: `python docs/pictures/pooling.py` writes it beside this file."""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

from gradus import layers

STYLE = {"svg.fonttype": "none", "svg.hashsalt": "gradus", "font.size": 8, "axes.titlesize": 8}
LAYERS = {
    "MaxPool2d": layers.MaxPool2d(2),
    "MinPool2d": layers.MinPool2d(2),
    "AvgPool2d": layers.AvgPool2d(2),
    "SumPool2d": layers.SumPool2d(2),
    "LpPool2d": layers.LpPool2d(3, 2),
    "LogSumExpPool2d": layers.LogSumExpPool2d(2, sharpness=4.0),
    "SoftPool2d": layers.SoftPool2d(2),
    "GeMPool2d": layers.GeMPool2d(2),
    "StochasticPool2d": layers.StochasticPool2d(2),
    "MixedPool2d": layers.MixedPool2d(2),
    "GatedPool2d": layers.GatedPool2d(2),
    "RankPool2d": layers.RankPool2d(2),
    "MedianPool2d": layers.MedianPool2d(3, 1),
    "FractionalMaxPool2d": layers.FractionalMaxPool2d(2, (5, 5)),
    "S3Pool2d": layers.S3Pool2d(2, 2, 4),
    "BlurPool2d": layers.BlurPool2d(3),
    "MaxBlurPool2d": layers.MaxBlurPool2d(),
    "AdaptiveMaxPool2d": layers.AdaptiveMaxPool2d(3),
    "AdaptiveAvgPool2d": layers.AdaptiveAvgPool2d(3),
    "GlobalMaxPool2d": layers.GlobalMaxPool2d(),
}


def write_pictures(folder: Path) -> list[Path]:
    """Write the picture to ``folder``: each layer's value of a digit, and where a gradient of ones goes."""
    torch.manual_seed(0)
    image = torch.from_numpy(load_digits().images[0]).float()[None, None] / 16
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(8, 8))
        axes = figure.subplots(5, 8)
        for place, (name, layer) in enumerate(LAYERS.items()):
            x = image.clone().requires_grad_()
            value = layer(x)
            gradient = torch.autograd.grad(value.sum(), x)[0]
            largest = float(gradient.abs().max())
            left, right = axes.flat[2 * place], axes.flat[2 * place + 1]
            left.imshow(value.detach()[0, 0].numpy(), cmap="gray")
            right.imshow(gradient[0, 0].numpy(), cmap="RdBu", vmin=-largest, vmax=largest)
            left.set_title(name, loc="left")
        for axis in axes.flat:
            axis.set_axis_off()
        path = folder / "pooling.svg"
        figure.savefig(path, metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    return [path]


if __name__ == "__main__":
    for written in write_pictures(Path(__file__).parent):
        sys.stderr.write(f"{written.name}\n")
