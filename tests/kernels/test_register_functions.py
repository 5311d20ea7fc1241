"""Exponential, logarithm and division of registers against NumPy's in twice the digits, over all that they promise."""

import numpy as np
import pytest

from gradus.kernels.compilation import compiled
from gradus.kernels.register_functions import (
    MOST_MULTIPLIED,
    exponential,
    logarithm,
    power,
    quotient,
    ratio,
    scale,
    undone,
)
from gradus.kernels.register_memory import lanes, read, write

kinds = pytest.mark.parametrize("kind", [np.float32, np.float64])


@compiled(cache=False)
def functions(x, y, out):
    for at in range(0, len(x), lanes(x)):
        a, b = read(x, at, None), read(y, at, None)
        write(out[0], at, None, exponential(a))
        write(out[1], at, None, logarithm(b))
        write(out[2], at, None, ratio(a, b))
        write(out[3], at, None, scale(b))
        write(out[4], at, None, undone(scale(b)))
        write(out[5], at, None, quotient(a, b))


def of(x, y, kind):
    x, y = np.broadcast_arrays(np.asarray(x, kind), np.asarray(y, kind))
    x, y = (np.resize(a, -(-a.size // 32) * 32) for a in (x, y))
    out = np.empty((6, x.size), kind)
    functions(x, y, out)
    return x.astype(np.longdouble), y.astype(np.longdouble), out


@kinds
def test_exponential_and_logarithm_are_right_to_their_last_places(kind):
    random, single = np.random.default_rng(0), kind == np.float32
    most = 87.0 if single else 700.0
    x = np.concatenate([random.uniform(-most, most, 4000), [0.0, -0.0, 1e-30, 0.34657, 0.34658, most, -most]])
    y = np.exp(random.uniform(-most, most, x.size))
    y[:6] = 1.0, 0.70710677, 0.70710683, 1.4142137, 0.99999994, 1.0000001
    x, y, found = of(x, y, kind)
    np.testing.assert_allclose(found[0], np.exp(x).astype(float), rtol=2.0**-23 if single else 1e-15)
    near, rest = (2.0**-22, 1e-8) if single else (3e-16, 3e-16)
    np.testing.assert_allclose(found[1], np.log(y).astype(float), rtol=near, atol=rest)


@kinds
def test_exponential_far_out_stays_finite_and_normal(kind):
    most = 87.0 if kind == np.float32 else 700.0
    found = of([-1e30, 1e30], 1.0, kind)[2][0]
    np.testing.assert_allclose(found[:2].astype(float), np.exp([-most, most]), rtol=1e-6)


@kinds
def test_ratio_is_right_over_the_whole_range_of_the_type(kind):
    limits, random = np.finfo(kind), np.random.default_rng(0)
    y = np.exp(random.uniform(np.log(float(limits.tiny)) + 1, np.log(float(limits.max)) - 1, 1600))
    y[:3] = limits.max, limits.tiny, limits.smallest_subnormal * 5
    x, y, found = of(random.uniform(-1, 1, y.size).astype(kind) * y.astype(kind), y, kind)
    sound = abs(x) > limits.tiny
    np.testing.assert_allclose(found[2][sound], (x / y)[sound].astype(float), rtol=2 * float(limits.eps))


@kinds
def test_a_quotient_is_what_a_division_rounds_to(kind):
    x = np.random.default_rng(0).standard_normal(64 * 128).astype(kind) * kind(1e6)
    x[:7] = 0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(kind).max, 27.0
    counts = np.tile(np.arange(1, 65), 128)
    found = of(x, counts, kind)[2][5]
    np.testing.assert_array_equal(found, x / counts.astype(kind))
    assert np.signbit(found[1]) and not np.signbit(found[0])


@kinds
def test_scales_are_powers_of_two_that_can_be_undone(kind):
    limits = np.finfo(kind)
    y = [1.0, 1.99, 2.0, 0.3, limits.max, limits.tiny, 0.0, limits.smallest_subnormal, -3.0, np.inf, np.nan]
    _, y, found = of(0.0, y, kind)
    assert (np.frexp(found[3])[0] == 0.5).all()
    np.testing.assert_array_equal(found[3] * found[4], 1)
    scaled = abs(y[:4]) * found[3][:4]
    assert ((scaled >= 1) & (scaled < 2)).all()
    assert np.isfinite((y[4:9] * found[3][4:9]).astype(kind)).all()


@compiled(cache=False)
def powers(x, p, out):
    for at in range(0, len(x), lanes(x)):
        write(out, at, None, power(read(x, at, None), p))


@kinds
@pytest.mark.parametrize("p", [0.0, 0.5, 1.0, 2.0, 2.5, 3.0, 7.0, MOST_MULTIPLIED, 2.7, -1.0, -0.5, 40.0])
def test_powers_of_whole_halves_and_others(kind, p):
    x = np.exp(np.random.default_rng(0).uniform(-2, 0.5, 1024)).astype(kind)
    out = np.empty_like(x)
    powers(x, kind(p), out)
    exact = x.astype(np.longdouble) ** np.longdouble(kind(p))
    inside = exact > 8 * np.finfo(kind).tiny
    # a rounding for each factor, or p times those of the logarithm
    tolerance = np.finfo(kind).eps * (2 + p if 0 <= p <= MOST_MULTIPLIED and p % 0.5 == 0 else 4 + 4 * abs(p))
    np.testing.assert_allclose(out[inside], exact[inside].astype(float), rtol=tolerance)
