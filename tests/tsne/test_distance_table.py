import numpy as np
import pytest

from gradus.tsne import distance_table
from gradus.tsne.distance_table import DistanceTable, smallest


@pytest.mark.parametrize("count", [1, 7, 40])
@pytest.mark.parametrize("distinct", [3, 10_000])
def test_the_smallest_are_those_of_a_stable_sort_ties_in_order_of_column(count, distinct):
    table = np.random.default_rng(0).integers(0, distinct, size=(60, 40)).astype(float)
    columns, values = smallest(table, count)
    expected = np.argsort(table, axis=1, kind="stable")[:, :count]
    np.testing.assert_array_equal(columns, expected)
    np.testing.assert_array_equal(values, np.take_along_axis(table, expected, 1))


def test_blocks_of_any_height_give_the_same_neighbours(monkeypatch):
    table = np.random.default_rng(0).random((50, 50))
    whole = DistanceTable(table.shape, lambda part: table[part].copy()).nearest_others(5, 2.0)
    monkeypatch.setattr(distance_table, "BLOCK", 350)
    parts = DistanceTable(table.shape, lambda part: table[part].copy()).nearest_others(5, 2.0)
    np.testing.assert_array_equal(whole.indices, parts.indices)
    np.testing.assert_array_equal(whole.squared, parts.squared)
    own = np.sqrt(whole.squared.numpy()) * whole.unit
    np.testing.assert_allclose(own, 2.0 * np.take_along_axis(table, whole.indices.numpy(), 1))
    assert (whole.indices.numpy() != np.arange(50)[:, None]).all()
