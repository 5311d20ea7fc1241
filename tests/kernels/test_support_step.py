"""Newton's step on what is not zero, against NumPy's solution of the same equations and the function's value."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.kernels import support_step as module
from gradus.kernels.support_step import Place, support_step


def problem(outputs, rows, seed, absolute=0.0, square=0.0, norm=0.0, rank=None):
    """A matrix over (outputs, rows), q's slopes as a function of the point, and a place where some entries are 0."""
    generator = torch.Generator().manual_seed(seed)
    count = outputs * rows
    root = torch.randn(count, rank or count + 2, generator=generator, dtype=torch.float64)
    matrix = root @ root.t() / count + 1e-3 * torch.eye(count, dtype=torch.float64)
    pull = torch.randn(count, generator=generator, dtype=torch.float64)
    point = torch.randn(outputs, rows, generator=generator, dtype=torch.float64)
    point[:, ::3] = 0.0
    ones = torch.ones_like(point)

    def slopes(x):
        return (matrix @ x.ravel() - pull).reshape(outputs, rows)

    return matrix, slopes, Place(point, slopes(point), absolute * ones, square * ones, norm * ones[0])


def taken(matrix, place):
    shape = place.point.shape

    def product(direction):
        return (matrix @ direction.ravel()).reshape(shape)

    def among(output, rows):
        entries = output * shape[1] + rows
        return matrix[entries[:, None], entries]

    return support_step(place, product, among)


def value(matrix, slopes, place):
    """Q + penalty, from the matrix written out."""
    x = place.point.numpy()
    constant = slopes(torch.zeros_like(place.point)).numpy()
    smooth = 0.5 * x.ravel() @ matrix.numpy() @ x.ravel() + (constant * x).sum()
    separate = (place.absolute.numpy() * np.abs(x) + 0.5 * place.square.numpy() * x**2).sum()
    return smooth + separate + place.norms.numpy() @ np.linalg.norm(x, axis=0)


@pytest.mark.parametrize("square", [0.0, 0.4])
def test_lands_where_numpy_solves_while_no_sign_changes(square, monkeypatch):
    monkeypatch.setattr(module, "LEFT", 1e-9)
    matrix, slopes, place = problem(2, 9, seed=1, absolute=0.2, square=square)
    support = (place.point != 0).ravel().numpy()
    sign = place.point.sign().ravel().numpy()[support]
    pull = -slopes(torch.zeros_like(place.point)).ravel().numpy()[support]
    # far away, so that the step may begin anywhere in the orthant of its end
    pull = pull + 50 * sign
    among = matrix.numpy()[np.ix_(support, support)] + np.diag(50 / 3 * np.ones(support.sum()))
    expected = np.linalg.solve(among + square * np.eye(len(sign)), pull - 0.2 * sign)
    assert (np.sign(expected) == sign).all()
    wide = matrix + 50 / 3 * torch.eye(len(matrix), dtype=torch.float64)
    slopes = (wide @ place.point.ravel()).reshape(2, 9)
    shift = torch.zeros(18, dtype=torch.float64)
    shift[torch.from_numpy(support)] = torch.from_numpy(pull)
    found = taken(wide, place._replace(slopes=slopes - shift.reshape(2, 9)))
    np.testing.assert_allclose(found.point.ravel().numpy()[support], expected, rtol=1e-6)
    assert not found.point.ravel()[torch.from_numpy(~support)].any()


@settings(deadline=None, max_examples=60)
@given(
    outputs=st.integers(1, 4),
    rows=st.integers(1, 9),
    seed=st.integers(0, 2**31),
    strengths=st.sampled_from([(0.3, 0.0, 0.0), (0.0, 0.0, 0.7), (0.2, 0.1, 0.5), (0.0, 0.3, 0.0)]),
    rank=st.sampled_from([None, 2]),
)
def test_lower_and_consistent_or_nothing(outputs, rows, seed, strengths, rank):
    matrix, slopes, place = problem(outputs, rows, seed, *strengths, rank=rank)
    before = [part.clone() for part in place]
    found = taken(matrix, place)
    assert all(torch.equal(*pair) for pair in zip(before, place, strict=True))
    if found is None:
        return
    assert value(matrix, slopes, found) < value(matrix, slopes, place)
    torch.testing.assert_close(found.slopes, slopes(found.point), rtol=1e-9, atol=1e-9)
    if strengths[0] + strengths[2] > 0:
        assert not found.point[place.point == 0].any()
    if strengths[0] > 0:
        assert (found.point * place.point >= 0).all()


def test_an_entry_that_would_change_its_sign_ends_at_zero():
    eye, one = torch.eye(2, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)
    point, pull = torch.tensor([[1.0, 1.0]]).double(), torch.tensor([[-3.0, 4.0]]).double()
    found = taken(eye, Place(point, point - pull, 0.5 * one, 0 * one, 0 * one[0]))
    torch.testing.assert_close(found.point, torch.tensor([[0.0, 3.5]]).double())


def test_nothing_is_found_at_a_minimum_and_where_all_is_zero():
    matrix, slopes, place = problem(1, 4, seed=2)
    minimum = torch.linalg.solve(matrix, matrix @ place.point.ravel() - slopes(place.point).ravel()).reshape(1, 4)
    exact = place._replace(point=minimum, slopes=torch.zeros_like(minimum))
    assert taken(matrix, exact) is None
    zero = torch.zeros_like(place.point)
    assert taken(matrix, place._replace(point=zero, slopes=slopes(zero), absolute=zero + 9)) is None


def test_blocks_of_neighbours_and_one_that_cannot_be_factored(monkeypatch):
    monkeypatch.setattr(module, "TOGETHER", 2)
    matrix, slopes, place = problem(2, 9, seed=3, absolute=0.1)
    assert value(matrix, slopes, taken(matrix, place)) < value(matrix, slopes, place)
    # singular: the second and third entry are one
    twin = torch.ones(3, 3, dtype=torch.float64)
    ones = torch.ones(1, 3, dtype=torch.float64)
    start = Place(ones, ones * 2.0, 0 * ones, 0 * ones, 0 * ones[0])
    found = taken(twin, start)
    assert (found.point * (start.slopes + found.slopes)).isfinite().all()
    assert found.slopes.abs().max() < 1.0
