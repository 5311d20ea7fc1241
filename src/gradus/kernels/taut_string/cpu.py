"""The taut string with its two chains in arrays that are written and dropped at both ends."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gradus.kernels.compilation import compiled

UPPER, LOWER = 0, 1


def taut_string(rows: Tensor, radius: float) -> Tensor:
    """Return the taut strings' slopes; see the package."""
    signals = np.ascontiguousarray(rows.detach().numpy())
    result = np.empty_like(signals)
    if signals.size:
        _strings(signals, radius, result)
    return torch.from_numpy(result)


@compiled()
def _strings(signals: np.ndarray, radius: float, result: np.ndarray) -> None:
    n = signals.shape[1]
    totals, lengths = np.empty((2, n)), np.empty((2, n), np.int64)
    for row in range(signals.shape[0]):
        if radius >= _widest(signals[row]):
            result[row] = signals[row].sum() / n
        else:
            _string(signals[row], radius, result[row], totals, lengths)


@compiled()
def _widest(signal: np.ndarray) -> float:
    """Return the radius from which on the string is straight; so wide a tube would drown the signal in rounding."""
    mean, total, widest = signal.sum() / len(signal), 0.0, 0.0
    for number in signal:
        total += number - mean
        widest = max(widest, abs(total))
    return widest


@compiled()
def _string(signal: np.ndarray, radius: float, result: np.ndarray, totals: np.ndarray, lengths: np.ndarray) -> None:
    n, written = len(signal), 0
    first, end = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for i in range(n):
        for chain in (UPPER, LOWER):
            bend = 1.0 - 2.0 * chain
            # the tube has its width everywhere but at its two ends
            total, length = signal[i] + bend * radius * ((i == 0) - 1.0 * (i == n - 1)), 1
            while end[chain] > first[chain] and bend * (
                totals[chain, end[chain] - 1] / lengths[chain, end[chain] - 1]
            ) >= bend * (total / length):
                end[chain] -= 1
                total += totals[chain, end[chain]]
                length += lengths[chain, end[chain]]
            totals[chain, end[chain]], lengths[chain, end[chain]] = total, length
            end[chain] += 1
        closing = True
        while closing:
            closing = False
            for chain in (UPPER, LOWER):
                bend, other = 1.0 - 2.0 * chain, 1 - chain
                if end[chain] - first[chain] > 1 or end[other] - first[other] == 1:
                    continue
                straight, corner = first[chain], first[other]
                slope = totals[other, corner] / lengths[other, corner]
                if bend * (totals[chain, straight] / lengths[chain, straight]) < bend * slope:
                    result[written : written + lengths[other, corner]] = slope
                    written += lengths[other, corner]
                    totals[chain, straight] -= totals[other, corner]
                    lengths[chain, straight] -= lengths[other, corner]
                    first[other] += 1
                    closing = True
    last = UPPER if end[UPPER] - first[UPPER] <= end[LOWER] - first[LOWER] else LOWER
    for piece in range(first[last], end[last]):
        result[written : written + lengths[last, piece]] = totals[last, piece] / lengths[last, piece]
        written += lengths[last, piece]
