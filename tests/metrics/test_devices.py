"""Metrics of labels and scores that are each on either device: the same figures, to the last bit."""

import math

import pytest
import torch

from gradus.core.errors import InputError
from gradus.metrics import (
    ClusterBootstrap,
    NanScores,
    Policy,
    Rows,
    TopK,
    UnknownLabels,
    compare_top_k,
    rank_counts,
    top_k_errors,
    top_k_errors_from_counts,
)
from gradus.metrics.condensed import condensed
from metrics.metric_samples import sample
from simulated_device import compared

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.int64]


def here(call, *given, **settings):
    with compared():
        return call(*given, **settings)


@pytest.mark.parametrize("dtype", DTYPES)
def test_labels_and_scores_may_each_be_on_a_device(dtype, device):
    labels, scores = sample(300, 20, decimals=1, dtype=dtype)
    rest = {"sample_weight": torch.arange(300.0), "groups": torch.arange(300) % 7, "row_ids": torch.arange(300)}
    for extra, interval in (({}, {}), (rest, {"interval": ClusterBootstrap(resamples=20)})):
        expected = here(top_k_errors, Rows(labels, **extra), scores, k=(1, 5), **interval).as_dict()
        moved = Rows(labels.to(device), **{name: value.to(device) for name, value in extra.items()})
        for rows in (moved, Rows(labels, **extra), Rows(labels.numpy(), **extra)):
            assert top_k_errors(rows, scores.to(device), k=(1, 5), **interval).as_dict() == expected
        assert here(top_k_errors, moved, scores, k=(1, 5), **interval).as_dict() == expected


@pytest.mark.parametrize("classes", [1, 2, 3, 31, 32, 33, 1000, 1025, 4097])
def test_any_number_of_classes(classes, device):
    labels, scores = sample(70, classes, decimals=1)
    scores[3, 0], scores[4, 0], scores[5, -1] = math.inf, -math.inf, -0.0
    for own, other in zip(rank_counts(labels, scores.to(device)), here(rank_counts, labels, scores), strict=True):
        assert (own == other).all()


@pytest.mark.parametrize("k", [1, (1, 3), (2, 9)])
@pytest.mark.parametrize("decimals", [0, 1, None])
def test_rows_are_counted_where_the_scores_are(k, decimals, device):
    labels, scores = sample(500, 9, decimals=decimals)
    expected = here(top_k_errors, labels, scores, k=k).as_dict()
    rows = Rows(labels.to(device))
    assert condensed(rows, scores.to(device), Policy(), 3) is not None
    assert top_k_errors(rows, scores.to(device), k=k).as_dict() == expected
    assert top_k_errors(labels.to(device, torch.uint8), scores.to(device), k=k).as_dict() == expected
    assert condensed(Rows(labels), scores, Policy(), 3) is None


def test_names_counts_and_every_layout(device):
    labels, scores = sample(60, 5, decimals=1)
    expected, moved = here(top_k_errors, labels, scores, k=2).as_dict(), scores.to(device)
    wide = torch.cat([moved, moved], dim=1)
    for laid in (moved.t().contiguous().t(), wide[:, :5], torch.stack([moved, moved], 2)[..., 1], moved.double()):
        assert top_k_errors(labels.to(device), laid, k=2).as_dict() == expected
    named = top_k_errors(labels.to(device), moved, k=2, policy=Policy(classes=tuple(range(5))))
    assert named.error == here(top_k_errors, labels, scores, k=2).error
    counts = tuple(torch.from_numpy(count).to(device) for count in here(rank_counts, labels, scores))
    assert top_k_errors_from_counts(labels.to(device), counts, n_classes=5, k=2).as_dict() == expected


def test_what_a_policy_says_of_rows(device):
    labels, scores = sample(60, 5, decimals=1)
    scores[7, 2], strange = math.nan, labels.clone()
    strange[3] = 5
    with pytest.raises(InputError, match="row 7 hold a NaN"):
        top_k_errors(labels.to(device), scores.to(device), k=2)
    with pytest.raises(InputError, match="label 5 of row 3"):
        top_k_errors(strange.to(device), scores.to(device), k=2)
    for unknown in (UnknownLabels.MISS, UnknownLabels.DROP):
        policy = Policy(nan_scores=NanScores.MISS, unknown_labels=unknown)
        found = top_k_errors(strange.to(device), scores.to(device), k=2, policy=policy)
        assert found.as_dict() == here(top_k_errors, strange, scores, k=2, policy=policy).as_dict()


def test_two_classifiers_on_two_devices(device):
    labels, first = sample(200, 6, decimals=1)
    second = sample(200, 6, seed=1, decimals=1)[1]
    expected = here(compare_top_k, labels, first, second, k=2)
    assert compare_top_k(labels.to(device), first.to(device), second.to(device), k=2) == expected
    assert compare_top_k(labels, first.to(device), second, k=2) == expected


def test_batches_from_either_device(device):
    labels, scores = sample(90, 5, decimals=1)
    total = TopK(k=(1, 2))
    for start, on in ((0, device), (30, "cpu"), (60, device)):
        rows = slice(start, start + 30)
        call = total.update if on != "cpu" else lambda *given: here(total.update, *given)
        call(labels[rows].to(on), scores[rows].to(on))
    assert total.compute().as_dict() == here(top_k_errors, labels, scores, k=(1, 2)).as_dict()
