"""What is read and written is what is there: nothing past the last place, integers wrapped as bytes are."""

import numpy as np
import pytest

from gradus.kernels.compilation import compiled
from gradus.kernels.register_memory import (
    add_scattered,
    before,
    first,
    lanes,
    read,
    read_whole_numbers,
    write,
)


@compiled(cache=False)
def added(source, target, at, count):
    if count == lanes(source):
        write(target, at, None, before(target, at, None) + read(source, at, None))
    else:
        mask = first(source, count)
        write(target, at, mask, before(target, at, mask) + read(source, at, mask))


@compiled(cache=False)
def converted(source, whole, back, count):
    mask = first(source, count)
    write(whole, 1, mask, read(source, 1, mask))
    write(back, 1, mask, read_whole_numbers(whole, 1, mask, source))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("count", [0, 1, 3, "all"])
def test_only_the_places_of_the_mask_are_written(kind, count):
    count = lanes_of(np.empty(0, kind)) if count == "all" else count
    source, target = np.arange(80).astype(kind), np.full(80, 100, kind)
    added(source, target, 5, count)
    wanted = np.full(80, 100, kind)
    wanted[5 : 5 + count] += np.arange(5, 5 + count)
    np.testing.assert_array_equal(target, wanted)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("whole", [np.uint8, np.int32])
def test_integers_are_cut_and_minus_one_wraps_to_the_largest_byte(kind, whole):
    source = np.array([9.0, -1.0, 254.9], kind)
    numbers, back = np.full(4, 7, whole), np.full(4, 7, kind)
    converted(source, numbers, back, 2)
    least = 255 if whole == np.uint8 else -1
    assert numbers.tolist() == [7, least, 254, 7]
    assert back.tolist() == [7, least, 254, 7]


@compiled(cache=False)
def lanes_of(line):
    return lanes(line)


@compiled(cache=False)
def added_up(values, index, sums):
    for at in range(0, len(index), lanes(index)):
        add_scattered(sums, read(index, at, None), read(values, at, None))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_numbers_are_added_up_by_their_slot_and_place(kind):
    count, random = lanes_of(np.empty(0, kind)), np.random.default_rng(0)
    values, index = random.integers(9, size=4 * count), random.integers(3, size=4 * count)
    sums = np.ones(3 * count, kind)
    added_up(values.astype(kind), index.astype(kind), sums)
    wanted = np.ones((3, count))
    np.add.at(wanted, (index, np.arange(4 * count) % count), values)
    np.testing.assert_array_equal(sums.reshape(3, count), wanted)
