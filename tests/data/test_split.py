import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.core.errors import InputError
from gradus.data import Dataset, read, split_rows, stratified_split


@given(st.lists(st.integers(1, 40), min_size=2, max_size=8), st.floats(0.01, 0.99), st.integers(0, 1000))
@settings(deadline=None)
def test_every_class_is_on_both_sides_and_no_row_is_lost(counts, fraction, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    split = stratified_split(labels, fraction, seed)
    assert sorted([*split.train, *split.test]) == list(range(len(labels)))
    assert np.all(np.diff(split.train) > 0)
    assert np.all(np.diff(split.test) > 0)
    assert split.train.dtype == split.test.dtype == np.int64
    train, test = (np.bincount(labels[side], minlength=len(counts)) for side in (split.train, split.test))
    assert np.all(train >= 1)
    assert np.all(test[np.array(counts) >= 2] >= 1)
    assert np.all(test[np.array(counts) == 1] == 0)


def test_the_shares_are_kept_to_a_row():
    labels = np.repeat([0, 1, 2], [100, 50, 10])
    split = stratified_split(labels, 0.2, seed=3)
    assert np.bincount(labels[split.test]).tolist() == [20, 10, 2]


def test_seeds_differ_and_repeat():
    labels = np.repeat([0, 1], 50)
    first, again, other = (stratified_split(labels, 0.3, seed).test.tolist() for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, float("nan")])
def test_a_fraction_that_is_none_is_refused(fraction):
    with pytest.raises(InputError, match="between 0 and 1"):
        stratified_split(np.array([0, 1]), fraction, seed=0)


def test_a_given_split_is_used_as_it_stands():
    is_test = np.array([True, False, False, True])
    data = Dataset("d", np.zeros((4, 1)), np.array([0, 1, 0, 1]), ("a", "b"), np.array(list("wxyz")), is_test)
    split = split_rows(data, 0.9, seed=0)
    assert (split.train.tolist(), split.test.tolist()) == ([1, 2], [0, 3])


def test_without_labels_there_is_no_stratified_split():
    data = Dataset("d", np.zeros((4, 1)), None, (), np.array(list("wxyz")))
    with pytest.raises(InputError, match="no labels"):
        split_rows(data, 0.2, seed=0)


def test_digits_are_split_by_class():
    digits = read("digits")
    split = split_rows(digits, 0.2, seed=0)
    assert len(split.test) == round(0.2 * 1797)
    share = np.bincount(digits.labels[split.test]) / np.bincount(digits.labels)
    assert np.all(np.abs(share - 0.2) < 0.01)
