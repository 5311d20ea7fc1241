"""Every implementation of the rank count, against comparisons of exact numbers and against the reference."""

from fractions import Fraction

import numba
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import implementations
from gradus.core.errors import InputError
from gradus.kernels import dispatch
from gradus.kernels.rank_count import NAN_SCORE, UNKNOWN_LABEL, rank_count

DTYPES = [torch.float16, torch.bfloat16, torch.float32, torch.float64]
IMPLEMENTATIONS = implementations.of("rank_count")


def by_definition(scores, labels):
    """The counts in Python, on exact fractions of the scores (infinities as floats)."""
    greater, equal = [], []
    for row, label in zip(scores.double().tolist(), labels.tolist(), strict=True):
        if not 0 <= label < len(row):
            greater.append(UNKNOWN_LABEL)
            equal.append(0)
        elif any(score != score for score in row):
            greater.append(NAN_SCORE)
            equal.append(0)
        else:
            exact = [score if score in (float("inf"), float("-inf")) else Fraction(score) for score in row]
            greater.append(sum(score > exact[label] for score in exact))
            equal.append(sum(score == exact[label] for score in exact) - 1)
    return greater, equal


def layouts(matrix):
    """The same matrix in every arrangement of memory that a caller can hand over."""
    rows, classes = matrix.shape
    yield "rows", matrix.clone(memory_format=torch.contiguous_format)
    yield "columns", matrix.T.contiguous().T
    wide = matrix.new_full((rows, classes + 3), 7)
    wide[:, 1 : classes + 1] = matrix
    yield "part of wider rows", wide[:, 1 : classes + 1]
    tall = matrix.new_full((classes, rows + 3), 7)
    tall[:, 2 : rows + 2] = matrix.T
    yield "part of taller columns", tall[:, 2 : rows + 2].T
    apart = matrix.new_full((2 * rows, 3 * classes), 7)
    apart[::2, ::3] = matrix
    yield "every second row and third column", apart[::2, ::3]


def edge_scores(rows, classes, seed, dtype):
    """Scores with many ties, zeros of both signs, subnormals and infinities."""
    generator = torch.Generator().manual_seed(seed)
    information = torch.finfo(dtype)
    values = torch.tensor(
        [0.0, -0.0, 1.0, -1.0, 1 + information.eps, information.max, information.min, float("inf"), float("-inf")],
        dtype=torch.float64,
    )
    subnormal = torch.tensor([information.smallest_normal / 4, -information.smallest_normal / 2], dtype=torch.float64)
    values = torch.cat([values, subnormal]).to(dtype)
    return values[torch.randint(0, len(values), (rows, classes), generator=generator)]


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("classes", [1, 2, 3, 4, 7, 16, 65])
def test_counts_by_definition(implementation, dtype, classes):
    scores = edge_scores(41, classes, classes, dtype)
    labels = torch.randint(-1, classes + 1, (41,), generator=torch.Generator().manual_seed(1))
    scores[5, -1] = float("nan")  # in one row only
    device = implementations.device_of(implementation)
    with dispatch.force(implementation):
        assert dispatch.chosen("rank_count", device) == implementation
        for name, arranged in layouts(scores.to(device)):
            greater, equal = rank_count(arranged, labels.to(device))
            assert (greater.tolist(), equal.tolist()) == by_definition(scores, labels), name
            assert greater.dtype == equal.dtype == torch.int32


def test_edges_are_in_the_sample():
    scores = edge_scores(41, 65, 65, torch.float32)
    assert scores.isinf().any()
    assert (scores == 0).any() and torch.signbit(scores[scores == 0]).any()
    assert ((scores != 0) & (scores.abs() < torch.finfo(torch.float32).smallest_normal)).any()


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS[1:])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0), (1, 1), (1, 1000), (3, 5000), (1025, 3), (2050, 130)])
def test_implementations_agree(implementation, dtype, shape):
    if implementations.is_interpreted(implementation):
        shape = (min(shape[0], 70), shape[1])
    generator = torch.Generator().manual_seed(7)
    scores = torch.randn(shape, generator=generator).round(decimals=1).to(dtype)
    labels = torch.randint(0, max(shape[1], 1), (shape[0],), generator=generator)
    with dispatch.force("reference"):
        expected = rank_count(scores, labels)
    device = implementations.device_of(implementation)
    with dispatch.force(implementation):
        for name, arranged in layouts(scores.to(device)):
            for mine, reference in zip(rank_count(arranged, labels.to(device)), expected, strict=True):
                assert torch.equal(mine.cpu(), reference), name


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_every_pair_of_half_precision_numbers(dtype):
    every = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(dtype)
    generator = torch.Generator().manual_seed(3)
    own = every[torch.randint(0, len(every), (64,), generator=generator)]
    own[0] = float("nan")
    ordered = every[~every.isnan()]
    scores = torch.cat([own[:, None], ordered.expand(64, -1)], dim=1)
    greater, equal = rank_count(scores, torch.zeros(64, dtype=torch.int64))
    valid = ~own.isnan()
    assert 0 < valid.sum() < 64  # both kinds were drawn
    assert torch.equal(greater[valid], (ordered.double() > own[valid].double()[:, None]).sum(1).int())
    assert torch.equal(equal[valid], (ordered.double() == own[valid].double()[:, None]).sum(1).int())
    assert (greater[~valid] == NAN_SCORE).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("column", [0, 3, 6])
def test_nan_in_any_column_is_flagged(dtype, column):
    for order in (torch.contiguous_format, "columns"):
        scores = torch.randn(9, 7, generator=torch.Generator().manual_seed(0)).to(dtype)
        scores[4, column] = float("nan")
        scores[6, column] = -float("nan")
        scores = scores.T.contiguous().T if order == "columns" else scores
        for label in (0, 3, 6):
            greater, equal = rank_count(scores, torch.full((9,), label))
            assert torch.equal(greater < 0, torch.isin(torch.arange(9), torch.tensor([4, 6])))
            assert greater[4] == greater[6] == NAN_SCORE
            assert equal[4] == 0


def test_threads_make_no_difference():
    scores = torch.randn(5000, 33, generator=torch.Generator().manual_seed(0)).half()
    labels = torch.randint(0, 33, (5000,), generator=torch.Generator().manual_seed(1))
    expected = rank_count(scores, labels)
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1)
        for arranged in (scores, scores.T.contiguous().T):
            for mine, other in zip(rank_count(arranged, labels), expected, strict=True):
                assert torch.equal(mine, other)
    finally:
        numba.set_num_threads(before)


def test_expanded_scores_are_read_in_place():
    row = torch.tensor([[0.5, 2.0, 0.5]])
    greater, equal = rank_count(row.expand(4, 3), torch.tensor([0, 1, 2, 0]))
    assert greater.tolist() == [1, 0, 1, 1]
    assert equal.tolist() == [1, 0, 1, 1]
    greater, equal = rank_count(torch.tensor([[1.0], [2.0]]).expand(2, 5), torch.tensor([3, 4]))
    assert greater.tolist() == [0, 0]
    assert equal.tolist() == [4, 4]


def test_inputs_are_left_alone_and_gradients_do_not_matter():
    scores = torch.randn(6, 4, requires_grad=True)
    before = scores.detach().clone()
    labels = torch.tensor([0, 1, 2, 3, 0, 9])
    rank_count(scores, labels)
    assert torch.equal(scores.detach(), before)


@given(
    st.lists(st.lists(st.floats(width=32), min_size=3, max_size=3), min_size=1, max_size=8),
    st.lists(st.integers(-2, 4), min_size=8, max_size=8),
)
@settings(deadline=None, max_examples=100)
def test_any_floats(rows, labels):
    scores = torch.tensor(rows, dtype=torch.float32)
    labels = torch.tensor(labels[: len(rows)])
    greater, equal = rank_count(scores, labels)
    assert (greater.tolist(), equal.tolist()) == by_definition(scores, labels)


@pytest.mark.parametrize(
    ("scores", "labels", "words"),
    [
        (torch.zeros(3), torch.zeros(3, dtype=torch.int64), "1 axes"),
        (torch.zeros(3, 2, dtype=torch.int32), torch.zeros(3, dtype=torch.int64), "torch.int32"),
        (torch.zeros(3, 2), torch.zeros(3), "torch.float32"),
        (torch.zeros(3, 2), torch.zeros(2, dtype=torch.int64), "shape \\(2,\\)"),
        (torch.zeros(3, 2), torch.zeros(3, dtype=torch.int64, device="meta"), "meta"),
    ],
)
def test_wrong_input_is_named(scores, labels, words):
    with pytest.raises(InputError, match=words):
        rank_count(scores, labels)


def test_large_matrix_matches_numpy_comparisons():
    generator = np.random.default_rng(0)
    scores = generator.standard_normal((3000, 500)).astype(np.float32)
    labels = generator.integers(0, 500, 3000)
    own = scores[np.arange(3000), labels][:, None]
    greater, equal = rank_count(torch.from_numpy(scores), torch.from_numpy(labels))
    np.testing.assert_array_equal(greater.numpy(), (scores > own).sum(1))
    np.testing.assert_array_equal(equal.numpy(), (scores == own).sum(1) - 1)
