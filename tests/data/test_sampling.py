import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.data.sampling import allotted, drawn

sizes = st.lists(st.integers(0, 60), min_size=1, max_size=8)


@given(sizes, st.integers(0, 300))
@settings(deadline=None)
def test_what_is_allotted_keeps_the_bounds_the_sum_and_the_proportions(counts, total):
    counts = np.array(counts)
    least = np.minimum(counts, 1)
    given_rows = allotted(counts, total, least, counts)
    assert np.all((given_rows >= least) & (given_rows <= counts))
    assert given_rows.sum() == np.clip(total, least.sum(), counts.sum())


@given(st.lists(st.integers(20, 60), min_size=1, max_size=8), st.floats(0.1, 0.9))
@settings(deadline=None)
def test_where_no_bound_is_met_every_group_is_within_one_row_of_its_share(counts, fraction):
    counts = np.array(counts)
    total = round(fraction * counts.sum())
    given_rows = allotted(counts, total, np.minimum(counts, 1), counts)
    assert np.all(np.abs(given_rows - counts * total / counts.sum()) < 1)


@given(sizes, st.integers(0, 2**32))
@settings(deadline=None)
def test_what_is_drawn_is_sorted_and_as_many_as_asked(counts, seed):
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    take = np.array(counts) // 2
    rows = drawn(groups, take, seed)
    assert np.all(np.diff(rows) > 0)
    assert np.bincount(groups[rows], minlength=len(counts)).tolist() == take.tolist()
    assert drawn(groups, take, seed).tolist() == rows.tolist()


def test_every_row_is_as_likely():
    groups = np.repeat([0, 1], [4, 6])
    hits = sum(np.bincount(drawn(groups, np.array([2, 3]), seed), minlength=10) for seed in range(2000))
    # Each row is drawn in half of the 2,000 draws; five standard deviations are 112.
    assert np.all(np.abs(hits - 1000) < 112)
