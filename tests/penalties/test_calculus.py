"""Penalties made of penalties: against the same penalty written out, and on wrong input."""

import pytest
import torch

from gradus.core.errors import InputError
from gradus.core.protocols import Conjugable
from gradus.penalties import (
    L1,
    L2,
    ConjugateOf,
    GroupLasso,
    HalfSpace,
    Huber,
    L1Ball,
    L2Ball,
    LInf,
    LInfBall,
    MoreauEnvelope,
    Nonconvex,
    Nuclear,
    Simplex,
    Slope,
    SpectralBall,
    TotalVariation,
    over_columns,
    over_rows,
    rotated,
    scaled,
    translated,
    transposed,
)


def point(seed=0, shape=(5, 3)):
    return 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


SAME = {
    "scaled l1": (scaled(L1(0.5), 1.4), L1(0.7)),
    "scaled nuclear": (scaled(Nuclear(0.5), 1.4), Nuclear(0.7)),
    "translated twice": (translated(translated(L1(0.7), point(1)), -point(1)), L1(0.7)),
    "rotated l2": (rotated(L2(0.7), torch.linalg.qr(point(2, (5, 5))).Q), L2(0.7)),
    "rotated nuclear": (rotated(Nuclear(0.7), torch.linalg.qr(point(2, (5, 5))).Q), Nuclear(0.7)),
    "transposed nuclear": (transposed(Nuclear(0.7)), Nuclear(0.7)),
    "l1 of each row": (over_rows(L1(0.7)), L1(0.7)),
    "l1 of each column": (over_columns(L1(0.7)), L1(0.7)),
    "total variation of each column": (over_columns(TotalVariation(0.7)), TotalVariation(0.7)),
    "conjugate of l1": (ConjugateOf(L1(0.7)), LInfBall(0.7)),
    "conjugate of l_inf": (ConjugateOf(LInf(0.7)), L1Ball(0.7)),
    "conjugate of nuclear": (ConjugateOf(Nuclear(0.7)), SpectralBall(0.7)),
    "conjugate of an l1 ball": (ConjugateOf(L1Ball(0.7)), LInf(0.7)),
    "conjugate of an l_inf ball": (ConjugateOf(LInfBall(0.7)), L1(0.7)),
    "conjugate of a spectral ball": (ConjugateOf(SpectralBall(0.7)), Nuclear(0.7)),
    "conjugate of l2": (ConjugateOf(L2(0.5)), L2(2.0)),
}


@pytest.mark.parametrize(("composed", "plain"), SAME.values(), ids=SAME)
@pytest.mark.parametrize("step", [0.1, 1.0, 5.0])
def test_equals_the_same_written_out(composed, plain, step):
    v = point(3)
    p = plain.prox(v, step)
    torch.testing.assert_close(composed.prox(v, step), p, rtol=1e-10, atol=1e-12)
    for x in (p, v):
        torch.testing.assert_close(composed.value(x), plain.value(x))
    if isinstance(composed, Conjugable):
        assert composed.gauge(v) == pytest.approx(plain.gauge(v))
        inside = v / (1.01 * max(plain.gauge(v), 1.0))
        torch.testing.assert_close(composed.conjugate(inside), plain.conjugate(inside))


def test_many_rows_at_once_are_row_by_row():
    rows = point(4, (7, 4))
    for inner in (Simplex(1.5), L1Ball(1.5), L2Ball(1.5), LInf(0.7), Slope(torch.tensor([0.9, 0.5, 0.5, 0.1]))):
        penalty = over_rows(inner)
        expected = torch.stack([inner.prox(row, 0.5) for row in rows])
        torch.testing.assert_close(penalty.prox(rows, 0.5), expected, rtol=1e-14, atol=1e-15)
        torch.testing.assert_close(over_columns(inner).prox(rows.T, 0.5), expected.T, rtol=1e-14, atol=1e-15)
        expected_value = torch.stack([inner.value(row) for row in expected]).sum()
        torch.testing.assert_close(penalty.value(expected), expected_value)


def test_a_composed_penalty_has_a_conjugate_where_the_inner_one_has():
    basis = torch.eye(5)
    for compose in (
        lambda inner: scaled(inner, 2.0),
        lambda inner: translated(inner, torch.ones(3)),
        lambda inner: rotated(inner, basis),
        transposed,
        over_rows,
        over_columns,
    ):
        assert isinstance(compose(L1(1.0)), Conjugable)
        assert not isinstance(compose(TotalVariation(1.0)), Conjugable)
        assert not isinstance(compose(L1(1.0)), Nonconvex)


def test_moreau_envelope_of_absolute_values_is_huber():
    x = point(5)
    envelope, huber = MoreauEnvelope(L1(0.7), radius=0.5), Huber(2.0, delta=0.35)
    for ours, theirs in zip(envelope.value_and_gradient(x), huber.value_and_gradient(x), strict=True):
        torch.testing.assert_close(ours, theirs)
    for step in (0.1, 1.0, 10.0):
        torch.testing.assert_close(envelope.prox(x, step), huber.prox(x, step))


@pytest.mark.parametrize("inner", [Nuclear(0.7), Simplex(), GroupLasso(0.5), TotalVariation(1.0)], ids=str)
def test_the_gradient_of_a_moreau_envelope_is_its_difference_quotient(inner):
    envelope, x, v = MoreauEnvelope(inner, radius=0.8), point(6), point(7)
    value, gradient = envelope.value_and_gradient(x)
    quotient = (envelope.value(x + 1e-5 * v) - envelope.value(x - 1e-5 * v)) / 2e-5
    assert quotient.item() == pytest.approx((gradient * v).sum().item(), rel=1e-6)
    assert value <= inner.value(x) + 1e-12
    assert envelope.value_and_gradient(x.float())[1].dtype == torch.float32


def test_what_cannot_be_composed_is_refused():
    for factor in (0.0, -1.0, float("inf")):
        with pytest.raises(InputError, match="factor"):
            scaled(L1(1.0), factor)
    with pytest.raises(InputError, match="square"):
        rotated(L1(1.0), torch.ones(2, 3))
    with pytest.raises(InputError, match="not orthogonal"):
        rotated(L1(1.0), torch.ones(2, 2))
    with pytest.raises(InputError, match="expected a matrix"):
        over_rows(Simplex()).prox(torch.ones(3), 1.0)
    with pytest.raises(InputError, match="expected a matrix"):
        transposed(HalfSpace(torch.ones(3))).value(torch.ones(3))
    with pytest.raises(InputError, match="radius"):
        MoreauEnvelope(L1(1.0), 0.0)
