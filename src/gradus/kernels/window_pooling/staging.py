"""Few or large planes are laid out so that one tap of all windows is a run: every variant is one vector loop.

Sliding windows of stride s: a padded axis is split by position modulo s, and tap j of all windows lies in part
(j d) mod s, shifted by (j d) div s. Other windows (bins, drawn places): each tap of all windows is gathered by the
table of positions. A group of planes lies side by side in each part, so that small planes make long runs too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradus.kernels.compilation import compiled

# where ``Plan.numbers`` keeps what
INPUT, OUTPUT, STRIDE, PART, RESIDUES, KERNEL = 0, 3, 6, 9, 12, 15
GROUP, UNIT, SLIDING, TAPS, TABLES = 18, 19, 20, 21, 22
# windows of these numbers on an axis, from the first to before the second, lie inside the input
LOW, HIGH = 23, 26
NUMBERS = 29


@compiled()
def stage(planes: Any, first: int, count: int, staged: Any, numbers: Any, tables: Any, padding: Any) -> None:
    """Lay out ``count`` planes from number ``first`` on in ``staged``, which holds the padding everywhere already."""
    size = numbers[INPUT] * numbers[INPUT + 1] * numbers[INPUT + 2]
    for place in range(count):
        if numbers[SLIDING]:
            _stage_sliding(planes, first + place, place, staged, numbers, tables)
        else:
            plane = planes[(first + place) * size : (first + place + 1) * size]
            _stage_table(plane, place, staged, numbers, tables, (first + place) % numbers[TABLES], padding)


@compiled()
def _stage_sliding(planes: Any, first: int, place: int, staged: Any, numbers: Any, parts: Any) -> None:
    height, width, stride = numbers[INPUT + 1], numbers[INPUT + 2], numbers[STRIDE + 2]
    pitch = numbers[GROUP] * numbers[UNIT]
    of_height, of_width = numbers[RESIDUES + 1], numbers[RESIDUES + 2]
    rows, columns = 3 * numbers[RESIDUES], 3 * (numbers[RESIDUES] + of_height)
    for a in range(numbers[RESIDUES]):
        for qd in range(parts[3 * a + 1], parts[3 * a + 2]):
            plane = first * numbers[INPUT] + qd * numbers[STRIDE] + parts[3 * a]
            for b in range(of_height):
                own = place * numbers[UNIT] + (a * of_height + b) * of_width * pitch
                for qh in range(parts[rows + 3 * b + 1], parts[rows + 3 * b + 2]):
                    start = (plane * height + qh * numbers[STRIDE + 1] + parts[rows + 3 * b]) * width
                    at = own + (qd * numbers[PART + 1] + qh) * numbers[PART + 2]
                    if stride == 2 and of_width == 2:
                        _split_pairs(staged, at, pitch, planes, start, parts, columns)
                    else:
                        for c in range(of_width):
                            shift, low = parts[columns + 3 * c], parts[columns + 3 * c + 1]
                            many = parts[columns + 3 * c + 2] - low
                            _read(staged, at + c * pitch + low, planes, start + low * stride + shift, stride, many)


@compiled()
def _split_pairs(staged: Any, at: int, pitch: int, planes: Any, start: int, parts: Any, columns: int) -> None:
    """Read a row whose even and odd padded positions go to two parts, both at once where both are inside."""
    low, high = max(parts[columns + 1], parts[columns + 4]), min(parts[columns + 2], parts[columns + 5])
    even = np.uint64(start + 2 * low + parts[columns])
    odd = np.uint64(start + 2 * low + parts[columns + 3])
    of_even, of_odd = np.uint64(at + low), np.uint64(at + low + pitch)
    for q in range(high - low):
        staged[of_even + np.uint64(q)] = planes[even + np.uint64(2) * np.uint64(q)]
        staged[of_odd + np.uint64(q)] = planes[odd + np.uint64(2) * np.uint64(q)]
    for c in range(2):
        shift = start + parts[columns + 3 * c]
        for q in range(parts[columns + 3 * c + 1], low):
            staged[at + c * pitch + q] = planes[shift + 2 * q]
        for q in range(max(high, low), parts[columns + 3 * c + 2]):
            staged[at + c * pitch + q] = planes[shift + 2 * q]


@compiled()
def _read(staged: Any, at: int, planes: Any, first: int, stride: int, count: int) -> None:
    """Set staged[at + q] = planes[first + stride q]; a stride that is a constant here becomes vector instructions."""
    begin, of = np.uint64(first), np.uint64(at)
    if stride == 1:
        for q in range(count):
            staged[of + np.uint64(q)] = planes[begin + np.uint64(q)]
    elif stride == 2:
        for q in range(count):
            staged[of + np.uint64(q)] = planes[begin + np.uint64(2) * np.uint64(q)]
    elif stride == 3:
        for q in range(count):
            staged[of + np.uint64(q)] = planes[begin + np.uint64(3) * np.uint64(q)]
    else:
        for q in range(count):
            staged[of + np.uint64(q)] = planes[begin + np.uint64(stride) * np.uint64(q)]


@compiled()
def _stage_table(plane: Any, place: int, staged: Any, numbers: Any, tables: Any, which: int, padding: Any) -> None:
    height, width = numbers[INPUT + 1], numbers[INPUT + 2]
    rows, columns, table = axis_tables(numbers, tables, which)
    tap = 0
    for i in range(numbers[KERNEL]):
        for j in range(numbers[KERNEL + 1]):
            for k in range(numbers[KERNEL + 2]):
                at = (tap * numbers[GROUP] + place) * numbers[UNIT]
                tap += 1
                for od in range(numbers[OUTPUT]):
                    z = table[od * numbers[KERNEL] + i]
                    for oh in range(numbers[OUTPUT + 1]):
                        y = table[rows + oh * numbers[KERNEL + 1] + j]
                        start = (z * height + y) * width
                        for ow in range(numbers[OUTPUT + 2]):
                            x = table[columns + ow * numbers[KERNEL + 2] + k]
                            staged[at] = padding if z < 0 or y < 0 or x < 0 else plane[start + x]
                            at += 1


@compiled()
def axis_tables(numbers: Any, tables: Any, which: int) -> tuple[int, int, Any]:
    """Return where the tables of rows and columns start, and the table of positions number ``which``."""
    rows = numbers[OUTPUT] * numbers[KERNEL]
    columns = rows + numbers[OUTPUT + 1] * numbers[KERNEL + 1]
    size = columns + numbers[OUTPUT + 2] * numbers[KERNEL + 2]
    return rows, columns, tables[which * size : (which + 1) * size]


@compiled()
def unstage(staged: Any, planes: Any, first: int, count: int, numbers: Any, tables: Any) -> None:
    """Set ``count`` planes to what their positions in ``staged`` add up to."""
    size = numbers[INPUT] * numbers[INPUT + 1] * numbers[INPUT + 2]
    for place in range(count):
        plane = planes[(first + place) * size : (first + place + 1) * size]
        plane[:] = 0
        if numbers[SLIDING]:
            _unstage_sliding(staged, planes, first + place, place, numbers, tables)
        else:
            _unstage_table(staged, plane, place, numbers, tables, (first + place) % numbers[TABLES])


@compiled()
def _unstage_sliding(staged: Any, planes: Any, first: int, place: int, numbers: Any, parts: Any) -> None:
    height, width, stride = numbers[INPUT + 1], numbers[INPUT + 2], numbers[STRIDE + 2]
    pitch = numbers[GROUP] * numbers[UNIT]
    of_height, of_width = numbers[RESIDUES + 1], numbers[RESIDUES + 2]
    rows, columns = 3 * numbers[RESIDUES], 3 * (numbers[RESIDUES] + of_height)
    for a in range(numbers[RESIDUES]):
        for qd in range(parts[3 * a + 1], parts[3 * a + 2]):
            plane = first * numbers[INPUT] + qd * numbers[STRIDE] + parts[3 * a]
            for b in range(of_height):
                own = place * numbers[UNIT] + (a * of_height + b) * of_width * pitch
                for qh in range(parts[rows + 3 * b + 1], parts[rows + 3 * b + 2]):
                    start = (plane * height + qh * numbers[STRIDE + 1] + parts[rows + 3 * b]) * width
                    at = own + (qd * numbers[PART + 1] + qh) * numbers[PART + 2]
                    if stride == 2 and of_width == 2:
                        _merge_pairs(staged, at, pitch, planes, start, parts, columns)
                    else:
                        for c in range(of_width):
                            shift, low = parts[columns + 3 * c], parts[columns + 3 * c + 1]
                            many = parts[columns + 3 * c + 2] - low
                            _write(staged, at + c * pitch + low, planes, start + low * stride + shift, stride, many)


@compiled()
def _merge_pairs(staged: Any, at: int, pitch: int, planes: Any, start: int, parts: Any, columns: int) -> None:
    """Write a row whose even and odd padded positions lie in two parts, both at once where both are inside."""
    low, high = max(parts[columns + 1], parts[columns + 4]), min(parts[columns + 2], parts[columns + 5])
    even = np.uint64(start + 2 * low + parts[columns])
    of_even, of_odd = np.uint64(at + low), np.uint64(at + low + pitch)
    for q in range(high - low):
        planes[even + np.uint64(2) * np.uint64(q)] = staged[of_even + np.uint64(q)]
        planes[even + np.uint64(2) * np.uint64(q) + np.uint64(1)] = staged[of_odd + np.uint64(q)]
    for c in range(2):
        shift = start + parts[columns + 3 * c]
        for q in range(parts[columns + 3 * c + 1], low):
            planes[shift + 2 * q] = staged[at + c * pitch + q]
        for q in range(max(high, low), parts[columns + 3 * c + 2]):
            planes[shift + 2 * q] = staged[at + c * pitch + q]


@compiled()
def _write(staged: Any, at: int, planes: Any, first: int, stride: int, count: int) -> None:
    """Set planes[first + stride q] = staged[at + q]."""
    begin, of = np.uint64(first), np.uint64(at)
    if stride == 1:
        for q in range(count):
            planes[begin + np.uint64(q)] = staged[of + np.uint64(q)]
    elif stride == 2:
        for q in range(count):
            planes[begin + np.uint64(2) * np.uint64(q)] = staged[of + np.uint64(q)]
    elif stride == 3:
        for q in range(count):
            planes[begin + np.uint64(3) * np.uint64(q)] = staged[of + np.uint64(q)]
    else:
        for q in range(count):
            planes[begin + np.uint64(stride) * np.uint64(q)] = staged[of + np.uint64(q)]


@compiled()
def _unstage_table(staged: Any, plane: Any, place: int, numbers: Any, tables: Any, which: int) -> None:
    height, width = numbers[INPUT + 1], numbers[INPUT + 2]
    rows, columns, table = axis_tables(numbers, tables, which)
    tap = 0
    for i in range(numbers[KERNEL]):
        for j in range(numbers[KERNEL + 1]):
            for k in range(numbers[KERNEL + 2]):
                at = (tap * numbers[GROUP] + place) * numbers[UNIT]
                tap += 1
                for od in range(numbers[OUTPUT]):
                    z = table[od * numbers[KERNEL] + i]
                    for oh in range(numbers[OUTPUT + 1]):
                        y = table[rows + oh * numbers[KERNEL + 1] + j]
                        start = (z * height + y) * width
                        for ow in range(numbers[OUTPUT + 2]):
                            x = table[columns + ow * numbers[KERNEL + 2] + k]
                            if z >= 0 and y >= 0 and x >= 0:
                                plane[start + x] += staged[at]
                            at += 1


@compiled()
def spread(rows: Any, first: int, count: int, run: Any, numbers: Any, filling: Any) -> None:
    """Lay out what is given for each window of ``count`` planes as the taps lie; ``filling`` where no window is."""
    outputs = numbers[OUTPUT] * numbers[OUTPUT + 1] * numbers[OUTPUT + 2]
    width = numbers[OUTPUT + 2]
    run[:] = filling
    for place in range(count):
        at = (first + place) * outputs
        for od in range(numbers[OUTPUT]):
            for oh in range(numbers[OUTPUT + 1]):
                start = place * numbers[UNIT] + (od * numbers[PART + 1] + oh) * numbers[PART + 2]
                target = run[start : start + width]
                source = rows[at : at + width]
                for ow in range(width):
                    target[ow] = source[ow]
                at += width


@compiled()
def collect(run: Any, rows: Any, first: int, count: int, numbers: Any) -> None:
    """Store what was found for each window of ``count`` planes."""
    outputs = numbers[OUTPUT] * numbers[OUTPUT + 1] * numbers[OUTPUT + 2]
    width = numbers[OUTPUT + 2]
    kind = rows.dtype.type
    for place in range(count):
        at = (first + place) * outputs
        for od in range(numbers[OUTPUT]):
            for oh in range(numbers[OUTPUT + 1]):
                start = place * numbers[UNIT] + (od * numbers[PART + 1] + oh) * numbers[PART + 2]
                source = run[start : start + width]
                target = rows[at : at + width]
                for ow in range(width):
                    target[ow] = kind(source[ow])
                at += width


@compiled()
def length(numbers: Any, count: int) -> int:
    """Return how long the run is that holds all windows of ``count`` planes."""
    last = (numbers[OUTPUT] - 1) * numbers[PART + 1] + numbers[OUTPUT + 1] - 1
    found: int = (count - 1) * numbers[UNIT] + last * numbers[PART + 2] + numbers[OUTPUT + 2]
    return found


@compiled()
def taps_of(window: int, numbers: Any, table: Any, here: Any) -> None:
    """Set ``here`` to where each tap of one window of an image starts, lanes side by side; -1 outside the input."""
    height, width, lanes = numbers[INPUT + 1], numbers[INPUT + 2], numbers[UNIT]
    rows, columns, _ = axis_tables(numbers, table, 0)
    ow = window % numbers[OUTPUT + 2]
    oh = window // numbers[OUTPUT + 2] % numbers[OUTPUT + 1]
    od = window // (numbers[OUTPUT + 2] * numbers[OUTPUT + 1])
    tap = 0
    for i in range(numbers[KERNEL]):
        z = table[od * numbers[KERNEL] + i]
        for j in range(numbers[KERNEL + 1]):
            y = table[rows + oh * numbers[KERNEL + 1] + j]
            start = (z * height + y) * width
            for k in range(numbers[KERNEL + 2]):
                x = table[columns + ow * numbers[KERNEL + 2] + k]
                outside = z < 0 or y < 0 or x < 0
                here[tap] = -1 if outside else (start + x) * lanes
                tap += 1
