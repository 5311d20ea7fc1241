"""The descent by torch, a weight at a time: right on any device, and slow."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

from gradus.kernels.column_descent import Coordinates, Descended, Terms

if TYPE_CHECKING:
    from torch import Tensor

    from gradus.core.columns import SparseColumns

# longest step of a logit, and least curvature: where it underflows the longest step is taken
LONGEST, SMALLEST = 50.0, 1e-300


def column_logits(columns: SparseColumns, coordinates: Coordinates, samples: int) -> Tensor:
    """Return the logits; see the package."""
    logits = coordinates.intercept[:, None].repeat(1, samples)
    outputs = _outputs(coordinates)
    for place, output, weight in zip(coordinates.places, outputs, coordinates.weights, strict=True):
        rows, values = _column(columns, int(place))
        logits[output].index_add_(0, rows, weight * values)
    return logits


def column_products(columns: SparseColumns, residual: Tensor, coordinates: Coordinates) -> Tensor:
    """Return the products; see the package."""
    products = torch.zeros_like(coordinates.weights)
    for index, (place, output) in enumerate(zip(coordinates.places, _outputs(coordinates), strict=True)):
        rows, values = _column(columns, int(place))
        products[index] = values @ residual[rows, output]
    return products


def descend(columns: SparseColumns, coordinates: Coordinates, terms: Terms, tolerance: float, sweeps: int) -> Descended:
    """Lower the function; see the package. Every sweep is full."""
    logits = column_logits(columns, coordinates, len(terms.shares))
    weights, intercept = coordinates.weights.clone(), coordinates.intercept.clone()
    outputs, largest, done = _outputs(coordinates).tolist(), math.inf, 0
    while done < sweeps and largest > tolerance:
        done, largest = done + 1, 0.0
        for output in range(len(intercept)) if terms.intercept_slopes is not None else ():
            slope, bend = _derivatives(logits, output, slice(None), torch.ones_like(terms.shares), terms.shares)
            assert terms.intercept_slopes is not None
            slope -= terms.intercept_slopes[output].item()
            moved = _step(slope, bend, 0.0, 1.0, 0.0)
            intercept[output] += moved
            logits[output] += moved
            largest = max(largest, abs(slope))
        if terms.norm > 0:
            largest = max(largest, _rows_swept(columns, terms, weights, logits))
            continue
        for index, (place, output) in enumerate(zip(coordinates.places.tolist(), outputs, strict=True)):
            rows, values = _column(columns, place)
            slope, bend = _derivatives(logits, output, rows, values, terms.shares[rows])
            old = weights[index].item()
            slope += terms.square * old - terms.slopes[index].item()
            counted = values[terms.shares[rows] > 0]
            longest = counted.abs().max().item() if len(counted) else 0.0
            moved = _step(slope, bend + terms.square, old, longest, terms.absolute)
            at_zero = max(abs(slope) - terms.absolute, 0.0)
            largest = max(largest, abs(slope + math.copysign(terms.absolute, old)) if old else at_zero)
            weights[index] = old + moved
            logits[output].index_add_(0, rows, moved * values)
    return Descended(Coordinates(coordinates.places, coordinates.firsts, weights, intercept), done, largest)


def _rows_swept(columns: SparseColumns, terms: Terms, weights: Tensor, logits: Tensor) -> float:
    """Take a proximal step for each column, as short as half of the identity for diag(p) - p p' allows."""
    largest, wide = 0.0, weights.view(len(logits), -1)
    slopes = terms.slopes.view_as(wide)
    for place in range(wide.shape[1]):
        rows, values = _column(columns, place)
        weighted, old = terms.shares[rows] * values, wide[:, place].clone()
        slope = torch.softmax(logits[:, rows], dim=0) @ weighted - slopes[:, place] + terms.square * old
        curvature = max(0.5 * (weighted @ values).item() + terms.square, SMALLEST)
        pull = curvature * old - slope
        soft = pull.sign() * (pull.abs() - terms.absolute).clamp_min(0.0)
        kept = (1.0 - terms.norm / torch.linalg.vector_norm(soft).clamp_min(SMALLEST)).clamp_min(0.0)
        wide[:, place] = kept * soft / curvature
        moved = wide[:, place] - old
        # how far the subdifferential is from 0, but for the curvature's looseness
        largest = max(largest, curvature * torch.linalg.vector_norm(moved).item())
        logits[:, rows] += moved[:, None] * values
    return largest


def _step(slope: float, bend: float, old: float, longest: float, absolute: float) -> float:
    """Return the t that minimises slope t + bend (exp(m |t|) - 1 - m |t|) / m^2 + absolute |old + t|, m the longest."""
    if longest == 0.0:
        return -old
    bend = max(bend, SMALLEST)

    def without_kink(side: float) -> float:
        steep = slope + side * absolute
        return -math.copysign(min(math.log1p(abs(steep) * longest / bend), LONGEST) / longest, steep)

    for side in (1.0, -1.0):
        step = without_kink(side)
        if (old + step) * side > 0.0:
            return step
    return -old


def _derivatives(
    logits: Tensor, output: int, rows: Tensor | slice, values: Tensor, shares: Tensor
) -> tuple[float, float]:
    probabilities = torch.softmax(logits[:, rows], dim=0)[output]
    slope = (shares * values) @ probabilities
    bend = (shares * values.square()) @ (probabilities * (1.0 - probabilities))
    return slope.item(), bend.item()


def _outputs(coordinates: Coordinates) -> Tensor:
    counts = coordinates.firsts.diff()
    return torch.arange(len(counts), device=counts.device).repeat_interleave(counts)


def _column(columns: SparseColumns, place: int) -> tuple[Tensor, Tensor]:
    start, stop = int(columns.starts[place]), int(columns.starts[place + 1])
    return columns.samples[start:stop].long(), columns.values[start:stop].double()
