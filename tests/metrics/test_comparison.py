"""Two classifiers on the same rows."""

import json

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from gradus.core.errors import InputError
from gradus.metrics import NanScores, Policy, Rows, UnknownLabels, compare_top_k, top_k_errors
from metrics.metric_samples import sample


@pytest.mark.parametrize("k", [1, 2, 4])
def test_counts_by_definition(k):
    labels, a = sample(300, 8, seed=1)
    b = a + torch.randn(300, 8, generator=torch.Generator().manual_seed(9))
    hit_a = (torch.topk(a, k).indices == labels[:, None]).any(1)
    hit_b = (torch.topk(b, k).indices == labels[:, None]).any(1)
    result = compare_top_k(labels, a, b, k)
    assert result.both_hit == (hit_a & hit_b).sum()
    assert result.only_a_misses == (~hit_a & hit_b).sum()
    assert result.only_b_misses == (hit_a & ~hit_b).sum()
    assert result.both_miss == (~hit_a & ~hit_b).sum()
    assert result.rows == 300
    assert result.undecided == 0
    assert result.error_a == pytest.approx(top_k_errors(labels, a, k=k)[k].error)
    assert result.error_b == pytest.approx(top_k_errors(labels, b, k=k)[k].error)
    assert result.difference == pytest.approx(result.error_a - result.error_b)
    low, high = result.interval()
    assert low < result.difference < high
    wide = result.interval(level=0.99)
    assert wide[0] < low < high < wide[1]
    discordant = result.only_a_misses + result.only_b_misses
    assert result.exact_p == pytest.approx(binomtest(result.only_a_misses, discordant).pvalue)
    assert result.mid_p < result.exact_p


def test_swapping_the_two_changes_the_sign():
    labels, a = sample(100, 4, seed=1)
    _, b = sample(100, 4, seed=2)
    one, other = compare_top_k(labels, a, b), compare_top_k(labels, b, a)
    assert one.difference == -other.difference
    assert one.mid_p == other.mid_p
    assert one.interval() == pytest.approx(tuple(-limit for limit in reversed(other.interval())))


def test_a_classifier_against_itself():
    labels, a = sample(50, 4)
    result = compare_top_k(labels, a, a)
    assert result.exact_p == result.mid_p == pytest.approx(1.0)
    assert result.difference == 0
    assert result.interval()[0] < 0 < result.interval()[1]


def test_ties_count_as_misses_and_are_said():
    result = compare_top_k([0, 1], [[0.5, 0.5], [0.1, 0.9]], [[0.9, 0.1], [0.1, 0.9]])
    assert (result.only_a_misses, result.both_hit, result.undecided) == (1, 1, 1)
    assert "hang on ties, counted as misses: 1." in str(result)


def test_sentence_and_dictionary():
    labels, a = sample(100, 4, seed=1)
    _, b = sample(100, 4, seed=2)
    result = compare_top_k(labels, a, b)
    assert "\n" not in str(result)
    assert f"{result.error_a:.4f}" in str(result)
    assert json.loads(json.dumps(result.as_dict()))["low"] == result.interval()[0]


def test_policies():
    scores = np.array([[0.9, 0.1], [np.nan, 0.1], [0.1, 0.9]])
    clean = np.nan_to_num(scores)
    with pytest.raises(InputError, match="NaN"):
        compare_top_k([0, 1, 1], scores, clean)
    result = compare_top_k([0, 1, 1], scores, clean, policy=Policy(nan_scores=NanScores.MISS))
    assert (result.only_a_misses, result.only_b_misses, result.both_hit) == (1, 0, 2)
    dropped = compare_top_k([0, 7, 1], clean, clean, policy=Policy(unknown_labels=UnknownLabels.DROP))
    assert dropped.rows == 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: compare_top_k([0], np.zeros((1, 2)), np.zeros((1, 3))), "a has 2 columns and b 3"),
        (lambda: compare_top_k([0], np.zeros((1, 2)), np.zeros((2, 2))), "1 labels for 2 rows"),
        (lambda: compare_top_k([0], np.zeros((1, 2)), np.zeros((1, 2)), k=3), "k is 3"),
        (lambda: compare_top_k([0], np.zeros((1, 2)), np.zeros((1, 2)), k=(1, 2)), "one k"),
        (lambda: compare_top_k([], np.zeros((0, 2)), np.zeros((0, 2))), "at least one row"),
        (lambda: compare_top_k(Rows([0], groups=[1]), np.zeros((1, 2)), np.zeros((1, 2))), "independent"),
        (lambda: compare_top_k([0], np.zeros((1, 2)), np.eye(2)[:1]).interval(95), "between 0 and 1"),
    ],
)
def test_wrong_input(call, words):
    with pytest.raises(InputError, match=words):
        call()
