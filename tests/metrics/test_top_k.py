"""Top-k errors, against peers where there are no ties and against every order of tied classes where there are."""

import itertools
import json
from fractions import Fraction

import numba
import numpy as np
import pandas
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import top_k_accuracy_score
from torchmetrics.functional.classification import multiclass_accuracy

from gradus.core.errors import InputError
from gradus.metrics import (
    AbsentClasses,
    NanScores,
    Policy,
    Rows,
    UnknownLabels,
    rank_counts,
    top_k_errors,
    top_k_errors_from_counts,
)
from metrics.metric_samples import sample

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]


def expected_by_enumeration(labels, scores, k):
    """The mean over rows, and over every order of the classes, of a stable sort's misses; exact."""
    total = Fraction(0)
    for label, row in zip(labels, scores, strict=True):
        orders = list(itertools.permutations(range(len(row))))
        misses = sum(label not in sorted(order, key=lambda column: -row[column])[:k] for order in orders)
        total += Fraction(misses, len(orders))
    return total / len(labels)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_peers_without_ties(dtype):
    labels, scores = sample(500, 11, dtype=dtype)
    assert all(len(row.unique()) == 11 for row in scores)
    result = top_k_errors(labels, scores, k=range(1, 12))
    for k in range(1, 12):
        among = (torch.topk(scores, k).indices == labels[:, None]).any(1)
        assert result[k].error == pytest.approx(1 - among.double().mean().item(), abs=1e-15)
        assert result[k].optimistic == result[k].pessimistic == result[k].error
        if k < 11:
            accuracy = top_k_accuracy_score(labels.numpy(), scores.numpy(), k=k, labels=np.arange(11))
            assert result[k].error == pytest.approx(1 - accuracy, abs=1e-12)
            torchmetrics_error = 1 - multiclass_accuracy(scores, labels, 11, top_k=k, average="micro").item()
            assert result[k].error == pytest.approx(torchmetrics_error, abs=1e-6)
    assert result.ties == 0
    assert result[11].error == 0


def test_per_class_and_macro_equal_torchmetrics():
    labels, scores = sample(500, 7)
    result = top_k_errors(labels, scores, k=(1, 3))
    for at, k in enumerate((1, 3)):
        recall = multiclass_accuracy(scores, labels, 7, top_k=k, average="none").double().numpy()
        np.testing.assert_allclose(result.per_class.error[:, at], 1 - recall, atol=1e-6)
        macro = 1 - multiclass_accuracy(scores, labels, 7, top_k=k, average="macro").item()
        assert result[k].macro == pytest.approx(macro, abs=1e-6)
    np.testing.assert_array_equal(result.per_class.rows, np.bincount(labels.numpy(), minlength=7))


def test_weights_equal_scikit_learn():
    labels, scores = sample(300, 9)
    weights = np.random.default_rng(0).gamma(1.0, size=300)
    result = top_k_errors(Rows(labels, sample_weight=weights), scores, k=(1, 2, 5))
    for k in (1, 2, 5):
        accuracy = top_k_accuracy_score(labels.numpy(), scores.numpy(), k=k, labels=np.arange(9), sample_weight=weights)
        assert result[k].error == pytest.approx(1 - accuracy, abs=1e-12)


def test_integer_weights_are_repeated_rows():
    labels, scores = sample(80, 5, decimals=0)
    weights = np.random.default_rng(1).integers(0, 4, 80)
    weighted = top_k_errors(Rows(labels, sample_weight=weights), scores, k=(1, 2))
    times = torch.from_numpy(weights)
    repeated = top_k_errors(labels.repeat_interleave(times), scores.repeat_interleave(times, dim=0), k=(1, 2))
    np.testing.assert_allclose(weighted.error, repeated.error, rtol=1e-14)
    np.testing.assert_allclose(weighted.macro, repeated.macro, rtol=1e-14)
    assert weighted.ties == pytest.approx(repeated.ties)


@pytest.mark.parametrize("classes", [1, 2, 3, 5])
def test_expected_error_is_the_mean_over_all_orders_of_tied_classes(classes):
    generator = np.random.default_rng(classes)
    scores = generator.integers(0, 3, (12, classes)).astype(np.float32)
    labels = generator.integers(0, classes, 12)
    result = top_k_errors(labels, scores, k=range(1, classes + 1))
    for k in range(1, classes + 1):
        assert result[k].error == pytest.approx(float(expected_by_enumeration(labels, scores.tolist(), k)), abs=1e-14)
    if classes > 1:
        assert result.ties > 0


@given(st.data())
@settings(deadline=None, max_examples=60)
def test_readings_of_ties_by_definition(data):
    classes = data.draw(st.integers(1, 6))
    rows = data.draw(st.integers(1, 6))
    values = st.sampled_from([0.0, -0.0, 1.0, -1.0, 2.5, float("inf"), float("-inf"), 1e-45])
    scores = data.draw(st.lists(st.lists(values, min_size=classes, max_size=classes), min_size=rows, max_size=rows))
    labels = data.draw(st.lists(st.integers(0, classes - 1), min_size=rows, max_size=rows))
    result = top_k_errors(labels, np.array(scores, dtype=np.float32), k=range(1, classes + 1))
    singles = np.array(scores, dtype=np.float32).tolist()
    for k in range(1, classes + 1):
        above = [sum(s > row[y] for s in row) for row, y in zip(singles, labels, strict=True)]
        not_below = [sum(s >= row[y] for s in row) for row, y in zip(singles, labels, strict=True)]
        best = sum(g >= k for g in above) / rows
        worst = sum(g > k for g in not_below) / rows
        figures = result[k]
        assert figures.optimistic == pytest.approx(best, abs=1e-15)
        assert figures.pessimistic == pytest.approx(worst, abs=1e-15)
        assert best - 1e-12 <= figures.error <= worst + 1e-12
        assert figures.low <= figures.error <= figures.high


def test_all_equal_scores_are_chance():
    result = top_k_errors([0, 1, 2, 3], np.zeros((4, 4)), k=(1, 2, 4))
    np.testing.assert_allclose(result.error, [0.75, 0.5, 0.0])
    np.testing.assert_array_equal(result.optimistic, [0, 0, 0])
    np.testing.assert_array_equal(result.pessimistic, [1, 1, 0])
    assert result.ties == 1


@pytest.mark.parametrize("dtype", DTYPES)
def test_types_and_layouts_give_the_same_figures(dtype):
    labels, scores = sample(300, 20, decimals=1, dtype=dtype)
    exact = top_k_errors(labels, scores.double(), k=(1, 5))
    arrangements = [scores, scores.T.contiguous().T, scores.repeat(1, 2)[:, :20], scores.repeat_interleave(2, 0)[::2]]
    if dtype is not torch.bfloat16:
        matrix = scores.numpy()
        swapped = matrix.astype(matrix.dtype.newbyteorder(">"))
        frozen = matrix.copy()
        frozen.flags.writeable = False
        arrangements += [matrix, np.asfortranarray(matrix), matrix[::-1][::-1], swapped, frozen, matrix.tolist()]
        reverse = top_k_errors(labels.flip(0), matrix[::-1], k=(1, 5))
        np.testing.assert_array_equal(reverse.error, exact.error)
    for arranged in arrangements:
        result = top_k_errors(labels, arranged, k=(1, 5))
        np.testing.assert_array_equal(result.error, exact.error)
        np.testing.assert_array_equal(result.per_class.high, exact.per_class.high)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64])
def test_labels_of_any_integer_type(kind):
    labels, scores = sample(50, 4)
    expected = top_k_errors(labels, scores, k=1).error
    np.testing.assert_array_equal(top_k_errors(labels.numpy().astype(kind), scores, k=1).error, expected)


def test_integer_scores_count_exactly():
    assert top_k_errors([0, 1], [[3, 1], [2, 2]], k=1).error[0] == 0.25
    with pytest.raises(InputError, match="2\\*\\*53"):
        top_k_errors([0], [[2**53 + 1, 0]], k=1)


def test_names_map_to_columns():
    scores = [[0.9, 0.1, 0.0], [0.2, 0.3, 0.5], [0.6, 0.3, 0.1]]
    policy = Policy(classes=["cat", "dog", "eel"])
    result = top_k_errors(["cat", "eel", "dog"], scores, k=(1, 2), policy=policy)
    np.testing.assert_allclose(result.error, [1 / 3, 0])
    assert result.per_class.classes == ("cat", "dog", "eel")
    by_number = top_k_errors([10, 30, 20], scores, k=(1, 2), policy=Policy(classes=np.array([10, 20, 30])))
    np.testing.assert_array_equal(by_number.error, result.error)
    assert by_number.per_class.classes == (10, 20, 30)
    array = top_k_errors(np.array(["cat", "eel", "dog"]), scores, k=(1, 2), policy=policy)
    np.testing.assert_array_equal(array.error, result.error)


def test_from_counts_gives_the_same():
    labels, scores = sample(120, 8, decimals=0)
    greater, equal = rank_counts(labels, scores)
    direct = top_k_errors(labels, scores, k=(1, 3))
    again = top_k_errors_from_counts(labels, (greater, equal), n_classes=8, k=(1, 3))
    assert json.dumps(again.as_dict()) == json.dumps(direct.as_dict())


class TestPolicies:
    scores = np.array([[0.9, 0.1, 0.0], [0.1, np.nan, 0.5], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]])

    def test_nan_is_refused_by_default_and_named(self):
        with pytest.raises(InputError, match=r"row 1 hold a NaN \(1 such rows\)"):
            top_k_errors([0, 2, 0, 1], self.scores, k=1)

    @pytest.mark.parametrize("label", [0, 1, 2])
    def test_nan_counts_as_a_miss_for_every_k(self, label):
        result = top_k_errors([0, label, 0, 1], self.scores, k=(1, 3), policy=Policy(nan_scores=NanScores.MISS))
        np.testing.assert_allclose(result.error, [0.25, 0.25])
        counts = rank_counts([0, label, 0, 1], self.scores, policy=Policy(nan_scores=NanScores.MISS))
        assert counts.greater[1] == 3
        again = top_k_errors_from_counts([0, label, 0, 1], counts, n_classes=3, k=(1, 3))
        np.testing.assert_array_equal(again.error, result.error)

    @pytest.mark.parametrize("outside", [3, -1, 2**40])
    def test_unknown_labels(self, outside):
        scores = np.nan_to_num(self.scores)
        labels = [0, outside, 0, 1]
        with pytest.raises(InputError, match=f"label {outside} of row 1 .*0 to 2"):
            top_k_errors(labels, scores, k=1)
        missed = top_k_errors(labels, scores, k=(1, 3), policy=Policy(unknown_labels=UnknownLabels.MISS))
        np.testing.assert_allclose(missed.error, [0.25, 0.25])
        np.testing.assert_allclose(missed.macro, [0, 0])
        assert missed.rows == 4
        assert "1 row with a label outside the classes" in str(missed)
        drop = Policy(unknown_labels=UnknownLabels.DROP)
        dropped = top_k_errors(labels, scores, k=(1, 3), policy=drop)
        assert dropped.rows == 3
        np.testing.assert_allclose(dropped.error, [0, 0])
        assert "1 row left out" in str(dropped)
        counts = rank_counts(labels, scores, policy=drop)
        again = top_k_errors_from_counts(labels, counts, n_classes=3, k=(1, 3))
        assert again.rows == 3

    def test_all_dropped_is_an_error(self):
        with pytest.raises(InputError, match="2 were left out"):
            top_k_errors([5, 6], np.zeros((2, 3)), k=1, policy=Policy(unknown_labels=UnknownLabels.DROP))

    def test_unknown_names(self):
        with pytest.raises(InputError, match=r"label 'cow' of row 1 .*those of Policy\.classes"):
            top_k_errors(["cat", "cow"], np.zeros((2, 2)), k=1, policy=Policy(classes=("cat", "dog")))

    def test_absent_classes(self):
        result = top_k_errors([0, 0, 1], [[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, 0]], k=1)
        assert result[1].macro == 0.25
        assert np.isnan(result.per_class.error[2, 0])
        assert result.as_dict()["per_class"][2]["error"] is None
        assert "Classes without rows: 1 of 3" in str(result)
        with pytest.raises(InputError, match="1 of the 3 classes have no rows"):
            top_k_errors([0, 0, 1], np.eye(3), k=1, policy=Policy(absent_classes=AbsentClasses.ERROR))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: top_k_errors([0, 1], np.zeros((2, 3)), k=4), "k is 4, but the scores have 3 classes"),
        (lambda: top_k_errors([0, 1], np.zeros((2, 3))), "k is 5"),
        (lambda: top_k_errors([0, 1], np.zeros((2, 3)), k=0), "at least 1"),
        (lambda: top_k_errors([0, 1], np.zeros((2, 3)), k=()), "k is empty"),
        (lambda: top_k_errors([0, 1], np.zeros((2, 3)), k=1.0), "k is 1.0"),
        (lambda: top_k_errors([0, 1], np.zeros((2, 3)), k=True), "k is True"),
        (lambda: top_k_errors([], np.zeros((0, 3)), k=1), "no rows"),
        (lambda: top_k_errors([0, 1, 2], np.zeros((2, 3)), k=1), "3 labels for 2 rows"),
        (lambda: top_k_errors([0, 1], np.zeros(2), k=1), r"shape \(2,\)"),
        (lambda: top_k_errors([0, 1], np.zeros((2, 0)), k=1), "no columns"),
        (lambda: top_k_errors(np.eye(2), np.zeros((2, 2)), k=1), "labels have shape"),
        (lambda: top_k_errors([0.5, 1.0], np.zeros((2, 2)), k=1), "labels have type float64"),
        (lambda: top_k_errors(["a", "b"], np.zeros((2, 2)), k=1), "Policy\\(classes"),
        (lambda: top_k_errors([0, 1], np.zeros((2, 2), dtype=complex), k=1), "complex128"),
        (lambda: top_k_errors([0, 1], np.zeros((2, 2), dtype=bool), k=1), "bool"),
        (lambda: top_k_errors([0, 1], torch.zeros(2, 2, dtype=torch.bool), k=1), "bool"),
        (lambda: top_k_errors([0, 1], [["a", "b"], ["c", "d"]], k=1), "scores have type"),
        (lambda: top_k_errors([0, 1], np.zeros((2, 2)), k=1, policy=Policy(classes=["a"])), "classes name 1"),
        (lambda: top_k_errors([0, 1], np.zeros((2, 2)), k=1, policy=Policy(classes=["a", "a"])), "1 distinct"),
        (lambda: top_k_errors(Rows([0, 1], sample_weight=[1.0]), np.zeros((2, 2)), k=1), "weights have shape"),
        (lambda: top_k_errors(Rows([0, 1], sample_weight=[1.0, -1.0]), np.zeros((2, 2)), k=1), "-1.0 of row 1"),
        (lambda: top_k_errors(Rows([0, 1], sample_weight=[1.0, np.nan]), np.zeros((2, 2)), k=1), "nan of row 1"),
        (lambda: top_k_errors(Rows([0, 1], sample_weight=[0.0, 0.0]), np.zeros((2, 2)), k=1), "all sample weights"),
        (lambda: top_k_errors(Rows([0, 1], groups=["a", "b"]), np.zeros((2, 2)), k=1), "use ClusterBootstrap"),
        (lambda: top_k_errors(Rows([0, 1], groups=[0.5, 1.5]), np.zeros((2, 2)), k=1), "groups have type"),
        (lambda: top_k_errors(Rows([0, 1], row_ids=["a"]), np.zeros((2, 2)), k=1), "row ids have shape"),
        (lambda: top_k_errors([0], np.zeros((1, 2)), k=1)[2], "k = 2 was not asked for"),
        (lambda: top_k_errors_from_counts([0], ([2], [0]), n_classes=2, k=3), "k is 3"),
        (lambda: top_k_errors_from_counts([0], ([1], [1]), n_classes=2, k=1), "row 0 .* 1 greater and 1 equal"),
        (lambda: top_k_errors_from_counts([5], ([1], [0]), n_classes=2, k=1), "label 5"),
        (lambda: top_k_errors_from_counts([0], ([0.5], [0]), n_classes=2, k=1), "greater has"),
        (lambda: top_k_errors_from_counts([0], ([0], [0, 0]), n_classes=2, k=1), "equal has"),
    ],
)
def test_wrong_input_is_one_sentence(call, words):
    with pytest.raises(InputError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_inputs_are_not_changed():
    labels, scores = sample(40, 5)
    weights = np.ones(40)
    before = scores.clone(), labels.clone(), weights.copy()
    top_k_errors(Rows(labels, sample_weight=weights), scores, k=(1, 2))
    assert torch.equal(scores, before[0])
    assert torch.equal(labels, before[1])
    np.testing.assert_array_equal(weights, before[2])


def test_duplicate_row_ids_count_once():
    labels, scores = sample(30, 4)
    once = top_k_errors(labels, scores, k=1)
    padded = [*range(30), 0, 1, 2]
    twice = top_k_errors(Rows(labels[padded], row_ids=padded), scores[padded], k=1)
    assert twice.rows == 30
    assert twice.as_dict() == once.as_dict()


@pytest.mark.parametrize("transform", [torch.sigmoid, lambda scores: scores.double().exp(), lambda scores: scores / 4])
def test_only_the_order_of_scores_matters(transform):
    labels, scores = sample(100, 6, dtype=torch.float64)
    expected = top_k_errors(labels, scores, k=(1, 2, 3)).as_dict()
    assert top_k_errors(labels, transform(scores), k=(1, 2, 3)).as_dict() == expected


def test_pandas_and_torch_columns():
    labels, scores = sample(40, 3)
    names = pandas.Series(["abc"[label] for label in labels], index=range(100, 140))
    frame = pandas.DataFrame(scores.numpy(), columns=list("abc"))
    policy = Policy(classes=frame.columns)
    weights = torch.rand(40, generator=torch.Generator().manual_seed(0))
    expected = top_k_errors(Rows(labels, sample_weight=weights.double().numpy()), scores, k=1)
    result = top_k_errors(Rows(names, sample_weight=weights), frame, k=1, policy=policy)
    np.testing.assert_array_equal(result.error, expected.error)
    names.iloc[7] = "z"
    with pytest.raises(InputError, match="'z' of row 7"):
        top_k_errors(names, frame, k=1, policy=policy)


def test_one_thread_gives_the_same_figures():
    labels, scores = sample(3000, 30, decimals=1)
    expected = top_k_errors(labels, scores, k=(1, 5)).as_dict()
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        assert top_k_errors(labels, scores, k=(1, 5)).as_dict() == expected
    finally:
        numba.set_num_threads(before)
