"""The windows of one image whose planes lie side by side, in spans: one call for all windows of a row inside it."""

from __future__ import annotations

from typing import Any

from gradus.kernels.compilation import compiled
from gradus.kernels.window_pooling.staging import GROUP, HIGH, INPUT, LOW, OUTPUT, STRIDE, UNIT, taps_of


@compiled()
def image_of(numbers: Any) -> tuple[int, int, int]:
    """Return how many lanes, entries and windows an image has."""
    entries = numbers[INPUT] * numbers[INPUT + 1] * numbers[INPUT + 2]
    windows = numbers[OUTPUT] * numbers[OUTPUT + 1] * numbers[OUTPUT + 2]
    return numbers[UNIT], entries, windows


@compiled()
def lanes_of(numbers: Any, unit: int) -> tuple[int, int, int]:
    """Return the image, the first lane and how many lanes block number ``unit`` has."""
    lanes, block = numbers[UNIT], numbers[GROUP]
    blocks = (lanes + block - 1) // block
    lane = unit % blocks * block
    return unit // blocks, lane, min(block, lanes - lane)


@compiled()
def _together(numbers: Any, window: int) -> int:
    """Return how many windows from this one on lie in its row and inside the input: 1 if it does not."""
    column = window % numbers[OUTPUT + 2]
    row = window // numbers[OUTPUT + 2] % numbers[OUTPUT + 1]
    slice_ = window // (numbers[OUTPUT + 2] * numbers[OUTPUT + 1])
    inside = numbers[LOW] <= slice_ < numbers[HIGH] and numbers[LOW + 1] <= row < numbers[HIGH + 1]
    return numbers[HIGH + 2] - column if inside and numbers[LOW + 2] <= column < numbers[HIGH + 2] else 1


@compiled()
def span_from(window: int, image: Any, numbers: Any, tables: Any, here: Any) -> tuple[int, int, int, int, int, int]:
    """Return the span from a window on, see ``template``, and set ``here`` to where its first window's taps are.

    image : (its number, its first lane that is worked on, how many)
    """
    number, lane, size = image
    lanes, _, windows = image_of(numbers)
    taps_of(window, number, lane, numbers, tables, here)
    place = (number * windows + window) * lanes + lane
    return _together(numbers, window), numbers[STRIDE + 2] * lanes, place, lanes, size, window
