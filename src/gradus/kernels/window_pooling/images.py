"""The windows of one image whose planes lie side by side, in spans: one call for all windows of a row inside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.kernels.compilation import compiled
from gradus.kernels.window_pooling.staging import GROUP, HIGH, INPUT, LOW, OUTPUT, STRIDE, TAPS, UNIT, taps_of


@compiled()
def image_of(numbers: Any) -> tuple[int, int, int]:
    """Return how many lanes, entries and windows an image has."""
    entries = numbers[INPUT] * numbers[INPUT + 1] * numbers[INPUT + 2]
    windows = numbers[OUTPUT] * numbers[OUTPUT + 1] * numbers[OUTPUT + 2]
    return numbers[UNIT], entries, windows


@compiled()
def origin_of(numbers: Any, unit: int) -> tuple[int, int, int]:
    """Return the first three numbers of the origin, see ``template``, of block number ``unit`` of an image's lanes."""
    lanes, entries, windows = image_of(numbers)
    block = numbers[GROUP]
    blocks = (lanes + block - 1) // block
    image, lane = unit // blocks, unit % blocks * block
    return image * entries * lanes + lane, image * windows * lanes + lane, min(block, lanes - lane)


@compiled()
def clear_lanes(line: Any, numbers: Any, unit: int) -> None:
    """Set the entries of block number ``unit`` of an image's lanes to 0."""
    lanes, entries, _ = image_of(numbers)
    begin, _, count = origin_of(numbers, unit)
    if count == lanes:
        line[begin : begin + entries * lanes] = 0
    else:
        for entry in range(entries):
            line[begin + entry * lanes : begin + entry * lanes + count] = 0


@compiled()
def _together(numbers: Any, window: int) -> int:
    """Return how many windows from this one on lie in its row and inside the input: 1 if it does not."""
    column = window % numbers[OUTPUT + 2]
    row = window // numbers[OUTPUT + 2] % numbers[OUTPUT + 1]
    slice_ = window // (numbers[OUTPUT + 2] * numbers[OUTPUT + 1])
    inside = numbers[LOW] <= slice_ < numbers[HIGH] and numbers[LOW + 1] <= row < numbers[HIGH + 1]
    return numbers[HIGH + 2] - column if inside and numbers[LOW + 2] <= column < numbers[HIGH + 2] else 1


@compiled()
def spans_of(numbers: Any, tables: Any) -> tuple[Any, Any]:
    """Return the spans of an image's windows, see ``template``, and for each where its first window's taps are."""
    lanes, _, windows = image_of(numbers)
    starts, spans = np.empty((windows, numbers[TAPS]), np.int64), np.empty((windows, 5), np.int64)
    window = count = 0
    while window < windows:
        taps_of(window, numbers, tables, starts[count])
        together = _together(numbers, window)
        own = (together, numbers[STRIDE + 2] * lanes, window * lanes, lanes, window)
        for entry in range(len(own)):
            spans[count, entry] = own[entry]
        window += together
        count += 1
    return starts[:count], spans[:count]


@compiled()
def one_span(starts: Any) -> tuple[Any, Any]:
    """Return the starts and the one span of windows that all lie side by side, each with its own constant."""
    return starts.reshape(1, len(starts)), np.array([[1, 0, 0, 0, -1]], np.int64)
