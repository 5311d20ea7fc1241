import numpy as np
import pytest

from gradus.kernels.blocks import add_products, asked, multiply, turns_of
from gradus.kernels.tiles import GROUP


@pytest.mark.parametrize("turns", range(1, 9))
def test_no_register_is_asked_for_twice_and_all_are_where_the_turns_allow(turns):
    places = [place for turn in range(turns) for place in asked(turn, turns, 1000, 16) if place > 0]
    assert len(places) == len(set(places)) == min(2 * turns, GROUP)
    assert set(places) <= {1000 + 16 * register for register in range(GROUP)}


def test_nothing_is_asked_for_where_no_block_follows():
    assert asked(0, 0, 1000, 16) == (0, 0)
    assert asked(3, 0, 1000, 16) == (0, 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("outputs", [1, 5, 6, 13])
@pytest.mark.parametrize("features", [1, 15, 16, 64, 83, 200])
def test_products_are_those_of_numpy_whatever_is_asked_for(dtype, outputs, features):
    random = np.random.default_rng(0)
    block, weights = (random.normal(size=(rows, features)).astype(dtype) for rows in (23, outputs))
    once = turns_of(outputs)
    tolerance = {"rtol": 1e-12 if dtype == np.float64 else 1e-4, "atol": 1e-5 if dtype == np.float32 else 1e-12}
    for turns in (0, once, 2 * once):
        out, sums = np.empty((23, outputs), dtype), np.zeros((outputs, features), dtype)
        multiply(block, weights, out, 0, turns)
        np.testing.assert_allclose(out, block.astype(np.float64) @ weights.T.astype(np.float64), **tolerance)
        add_products(block, out, sums, once if turns > once else 0, turns)
        np.testing.assert_allclose(sums, out.T.astype(np.float64) @ block.astype(np.float64), **tolerance)
