"""Batches add up to the whole, to the last bit."""

import json
import pickle
from concurrent.futures import ProcessPoolExecutor
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from forked_process import FORKING
from gradus.core.errors import InputError
from gradus.metrics import (
    Bootstrap,
    ClopperPearson,
    ClusterBootstrap,
    NanScores,
    Policy,
    Rows,
    TopK,
    UnknownLabels,
    top_k_errors,
)
from metrics.metric_samples import sample

LABELS, SCORES = sample(60, 5, decimals=0)
WEIGHTS = np.random.default_rng(0).gamma(0.3, size=60) * 10.0 ** np.random.default_rng(1).integers(-9, 9, 60)
GROUPS = [f"g{i % 7}" for i in range(60)]


def bits(result):
    """Every figure, to the last bit."""
    arrays = [
        getattr(side, name)
        for side in (result.value, result.lower, result.upper)
        for name in ("macro", "per_class", "ties")
    ]
    arrays += [
        getattr(side.overall, name)
        for side in (result.value, result.lower, result.upper)
        for name in ("expected", "optimistic", "pessimistic")
    ]
    return b"".join(np.asarray(array, dtype=np.float64).tobytes() for array in arrays)


def rows_like(kind, chosen):
    more = {
        "plain": {},
        "weights": {"sample_weight": WEIGHTS[chosen]},
        "groups": {"groups": [GROUPS[i] for i in chosen]},
        "row ids": {"row_ids": [f"row {i}" for i in chosen]},
    }[kind]
    return Rows(LABELS[chosen], **more)


INTERVALS = {
    "plain": Bootstrap(50, seed=3),
    "weights": ClopperPearson(),
    "groups": ClusterBootstrap(50),
    "row ids": ClopperPearson(),
}


@pytest.mark.parametrize("kind", INTERVALS)
@given(st.permutations(range(60)), st.lists(st.integers(0, 60), max_size=5), st.data())
@settings(deadline=None, max_examples=25)
def test_any_split_order_and_sharding_gives_the_same_bits(kind, order, cuts, data):
    interval = INTERVALS[kind]
    whole = top_k_errors(rows_like(kind, list(range(60))), SCORES, k=(1, 2, 5), interval=interval)
    edges = [0, *sorted(cuts), 60]
    shards = [TopK(k=(1, 2, 5), interval=interval) for _ in range(3)]
    for start, stop in pairwise(edges):
        chosen = list(order[start:stop])
        shard = shards[data.draw(st.integers(0, 2))]
        shard.update(rows_like(kind, chosen), SCORES[chosen])
        if data.draw(st.booleans()):
            shard.state_dict()  # adds up what waits
    result = reduce(add, data.draw(st.permutations(shards))).compute()
    assert bits(result) == bits(whole)
    assert result.rows == 60


def test_without_rows():
    empty = TopK()
    with pytest.raises(InputError, match="call update"):
        empty.compute()
    empty.update([], np.zeros((0, 6)))
    with pytest.raises(InputError, match="no rows"):
        empty.compute()
    empty.update(Rows([1], groups=["a"]), np.eye(6)[1:2])
    empty.merge(TopK())
    assert len(empty) == 1


def test_equals_the_function():
    metric = TopK(k=(1, 3))
    metric.update(LABELS, SCORES)
    assert metric.compute().as_dict() == top_k_errors(LABELS, SCORES, k=(1, 3)).as_dict()
    metric.reset()
    assert len(metric) == 0


def test_waiting_batches_are_added_up():
    metric = TopK(k=1)
    labels, scores = sample(4000, 300)
    for start in range(0, 4000, 400):
        for _ in range(30):
            metric.update(labels[start : start + 400], scores[start : start + 400])
    assert len(metric._tables) < 300  # the many batches did not stay as they came
    assert len(metric) == 120_000
    np.testing.assert_array_equal(metric.compute().error, top_k_errors(labels, scores, k=1).error)


def test_addition_leaves_its_terms_alone():
    first, second = TopK(k=1), TopK(k=1)
    first.update(LABELS[:20], SCORES[:20])
    second.update(LABELS[20:], SCORES[20:])
    total = first + second
    assert (len(first), len(second), len(total)) == (20, 40, 60)
    assert total.compute().as_dict() == top_k_errors(LABELS, SCORES, k=1).as_dict()


@pytest.mark.parametrize("kind", INTERVALS)
def test_state_survives_json_and_pickle(kind):
    metric = TopK(k=(1, 2), interval=INTERVALS[kind])
    metric.update(rows_like(kind, list(range(60))), SCORES)
    state = json.loads(json.dumps(metric.state_dict()))
    loaded = TopK(k=(1, 2), interval=INTERVALS[kind])
    loaded.load_state_dict(state)
    for copy in (loaded, pickle.loads(pickle.dumps(metric))):
        assert bits(copy.compute()) == bits(metric.compute())
    fresh = TopK()
    fresh.load_state_dict(TopK().state_dict())
    assert len(fresh) == 0


def shard_of(start):
    metric = TopK(k=(1, 2))
    metric.update(LABELS[start : start + 20], SCORES[start : start + 20])
    return metric.state_dict()


def test_states_travel_between_processes():
    total = TopK(k=(1, 2))
    with ProcessPoolExecutor(1, mp_context=FORKING) as pool:
        states = list(pool.map(shard_of, [40, 0, 20]))
    for state in states:
        shard = TopK()
        shard.load_state_dict(state)
        total.merge(shard)
    assert bits(total.compute()) == bits(top_k_errors(LABELS, SCORES, k=(1, 2)))


def test_padding_of_a_distributed_sampler_is_not_counted():
    """Four processes of 16 rows each: the 60 rows, and the first four again."""
    padded = [*range(60), 0, 1, 2, 3]
    plain, by_id = TopK(k=1), TopK(k=1)
    for rank in range(4):
        mine = padded[rank::4]
        for total, rows in ((plain, Rows(LABELS[mine])), (by_id, Rows(LABELS[mine], row_ids=mine))):
            shard = TopK(k=1)
            shard.update(rows, SCORES[mine])
            total.merge(shard)
    assert len(plain) == 64
    assert bits(by_id.compute()) == bits(top_k_errors(LABELS, SCORES, k=1))


def test_a_row_seen_with_two_ranks_keeps_the_larger():
    for order in ([0, 1], [1, 0]):
        scores = np.array([[0.9, 0.1], [0.1, 0.9]])[order]
        metric = TopK(k=1)
        metric.update(Rows([0, 0], row_ids=["a", "a"]), scores)
        assert metric.compute()[1].error == 1.0
        assert len(metric) == 1


def test_a_row_seen_with_two_labels_is_an_error():
    metric = TopK(k=1)
    metric.update(Rows([0], row_ids=["a"]), [[0.9, 0.1]])
    metric.update(Rows([1], row_ids=["a"]), [[0.9, 0.1]])
    with pytest.raises(InputError, match="row id a comes with two values of label"):
        metric.compute()


def test_what_does_not_add_up():
    metric = TopK(k=1)
    metric.update([0], [[0.9, 0.1]])
    for rows, scores in ((Rows([0]), np.eye(3)[:1]), (Rows([0], sample_weight=[2.0]), np.eye(2)[:1])):
        with pytest.raises(InputError, match=r"do not add up|give all or none"):
            metric.update(rows, scores)
    with pytest.raises(InputError, match="policies"):
        metric.merge(TopK(policy=Policy(nan_scores=NanScores.MISS)))
    for state in ({"label": [0]}, {**metric.state_dict(), "more": 1}, {**metric.state_dict(), "count": [1, 1]}):
        with pytest.raises(InputError, match="state"):
            metric.load_state_dict(state)
    assert len(metric) == 1


def test_rows_left_out_are_counted_over_batches():
    metric = TopK(k=1, policy=Policy(classes=("a", "b"), unknown_labels=UnknownLabels.DROP))
    for label in ("a", "x", "y"):
        metric.update([label], torch.eye(2)[:1])
    assert metric.compute().notes[-1].startswith("2 rows left out")
    assert metric.compute().rows == 1
