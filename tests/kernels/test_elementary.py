import math

import pytest

from gradus.kernels.elementary import exponential, logarithm


@pytest.mark.parametrize("x", [1e-300, 1e-8, 0.5, 0.7071, 1.0, 1.0 + 1e-12, 1.4143, 2.0, 1e9, 1e300])
def test_logarithm(x):
    assert logarithm(x) == pytest.approx(math.log(x), rel=3e-16, abs=3e-16)


@pytest.mark.parametrize("x", [-699.0, -30.5, -1e-9, 0.0, 1e-300, 0.34657, 0.34658, 1.0, 88.9, 699.0])
def test_exponential(x):
    assert exponential(x) == pytest.approx(math.exp(x), rel=1e-15)


def test_exponential_far_out_stays_finite():
    assert exponential(-1e9) == pytest.approx(math.exp(-700), rel=1e-12)
    assert exponential(1e9) == pytest.approx(math.exp(700), rel=1e-12)
