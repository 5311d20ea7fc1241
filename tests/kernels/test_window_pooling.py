"""How memory is laid out for the loops over windows, and that a layout does not change what is found."""

import sys
from itertools import pairwise

import numpy as np
import pytest
import torch

from gradus import layers
from gradus.kernels import large_pages
from gradus.kernels.compilation import compiled
from gradus.kernels.window_pooling import frames, team
from gradus.kernels.window_pooling.addresses import called_from_python, line_at
from gradus.kernels.window_pooling.entries import ENTRY
from gradus.kernels.window_pooling.turning import MANY_BYTES, apart, side_by_side

resource = pytest.importorskip("resource")

WINDOWS = layers.windows(2, 2)
LAYERS = {
    "max": layers.max_pool,
    "average": layers.average_pool,
    "SoftPool": layers.soft_pool,
}


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.uint8, np.int32])
@pytest.mark.parametrize(("count", "size", "lanes"), [(16, 16, 16), (33, 83, 40), (5, 7, 5), (64, 48, 64), (17, 3, 32)])
def test_planes_are_laid_side_by_side_and_apart_again(kind, count, size, lanes):
    planes = (np.random.default_rng(0).random((count + 3) * size) * 200).astype(kind)
    tile = np.zeros(size * lanes, kind)
    side_by_side(planes, 2, count, size, tile, lanes)
    wanted = planes.reshape(-1, size)[2 : 2 + count]
    np.testing.assert_array_equal(tile.reshape(size, lanes)[:, :count], wanted.T)
    assert not tile.reshape(size, lanes)[:, count:].any()
    back = np.zeros_like(planes)
    apart(tile, lanes, back, 2, count, size)
    np.testing.assert_array_equal(back.reshape(-1, size)[2 : 2 + count], wanted)
    assert not back[: 2 * size].any() and not back[(2 + count) * size :].any()


@pytest.mark.parametrize("offset", [0, 4])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_many_planes_are_written_past_the_cache_as_they_are_into_it(kind, offset):
    # torch's memory begins with a line of it, or not
    memory = torch.zeros(MANY_BYTES // kind.itemsize + offset, dtype=kind)
    planes, size, lanes = memory[offset:].numpy(), 64, 40
    assert (planes.ctypes.data % 64 == 0) == (offset == 0)
    tile = np.random.default_rng(0).random((size, lanes)).astype(planes.dtype)
    apart(tile.reshape(-1), lanes, planes, 5, 37, size)
    np.testing.assert_array_equal(planes.reshape(-1, size)[5 : 5 + 37], tile.T[:37])
    assert not planes[: 5 * size].any() and not planes[(5 + 37) * size :].any()


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("geometry", [WINDOWS, layers.windows(2, 3, 2, 1)], ids=["2x2", "3x3"])
def test_every_layout_gives_the_same_bits(name, geometry):
    x = torch.randn(3, 13, 12, 11, generator=torch.Generator().manual_seed(0))
    found = []
    # side by side, one plane after the other, and channels last
    for pieces in ((x,), x.split(1), (x.contiguous(memory_format=torch.channels_last),)):
        leaves = [piece.detach().requires_grad_() for piece in pieces]
        values = [LAYERS[name](leaf, geometry) for leaf in leaves]
        for value in values:
            value.backward(torch.ones_like(value))
        found.append((torch.cat(values), torch.cat([leaf.grad for leaf in leaves])))
    for value, gradient in found[1:]:
        assert torch.equal(value, found[0][0])
        # windows that overlap add up in another order
        torch.testing.assert_close(gradient, found[0][1], rtol=1e-6, atol=1e-6)


def test_the_layouts_are_those_that_are_meant():
    side = lambda *shape: frames.side_by_side(torch.Size(shape), torch.float32)  # noqa: E731
    assert side(64, 64, 56, 56) == 32
    assert side(3, 13, 12, 11) == 16
    assert side(1, 13, 12, 11) == 0
    assert side(64, 64, 112, 112) == 16
    assert side(64, 64, 512, 512) == 0


@pytest.mark.parametrize("divide", [team.even, team.guided])
@pytest.mark.parametrize("units", [1, 2, 3, 7, 64, 1000])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_parts_are_all_of_the_work_and_none_is_empty(divide, units, threads):
    stops = divide(units, threads)
    sizes = [after - before for before, after in pairwise(stops)]
    assert stops[0] == 0 and stops[-1] == units and min(sizes) > 0
    assert sizes == sorted(sizes, reverse=divide is team.guided) or divide is team.even
    assert len(sizes) == min(threads, units) or divide is team.guided


@compiled(ENTRY)
def _marked(places, settings, first, last):
    line = line_at(places, settings, np.int64)
    for unit in range(first, last):
        line[unit] += unit + 1


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("openmp", [True, False])
def test_each_part_is_run_once(threads, openmp, monkeypatch):
    if openmp and team._parallel() is None:
        pytest.skip("torch's threads are not OpenMP's")
    if not openmp:
        monkeypatch.setattr(team, "_parallel", lambda: None)
    enter = called_from_python(_marked, ENTRY).address
    for units in (1, 7, 1000):
        line = np.zeros(units, np.int64)
        team.run(enter, (line.ctypes.data, units), team.Stops(team.guided(units, threads)), (), threads)
        np.testing.assert_array_equal(line, np.arange(units) + 1)


def test_pages_are_cleared_of_the_parts_that_are_run_and_what_was_written_stays():
    if sys.platform != "linux" or large_pages._advise()(np.zeros(8192, np.uint8).ctypes.data // 4096 * 4096, 4096, 23):
        pytest.skip("this system does not clear pages ahead")
    numbers, line = torch.empty(64 << 20, dtype=torch.uint8), np.zeros(64, np.int64)
    numbers[1000:2000] = 7
    enter = called_from_python(_marked, ENTRY).address
    ranges = [(numbers.data_ptr(), 1 << 20)]
    team.run(enter, (line.ctypes.data, 64), team.Stops(team.even(64, 2)), ranges, 2)
    assert (numbers[1000:2000] == 7).all()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    numbers.fill_(3)
    # of 16384 pages
    assert resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before < 200
