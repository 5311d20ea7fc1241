import math

import numpy as np
import pytest

from gradus.kernels.elementary import (
    exponential,
    logarithm,
    logarithm_above_one,
    single_exponential,
)


@pytest.mark.parametrize("x", [1e-300, 1e-8, 0.5, 0.7071, 1.0, 1.0 + 1e-12, 1.4143, 2.0, 1e9, 1e300])
def test_logarithm(x):
    assert logarithm(x) == pytest.approx(math.log(x), rel=3e-16, abs=3e-16)


@pytest.mark.parametrize("x", [0.0, 1e-300, 1e-17, 1e-9, 0.3, 0.41421, 0.41422, 1.0, 7.5, 1e16, 1e300])
def test_logarithm_above_one_is_right_relative_to_itself(x):
    assert logarithm_above_one(x) == pytest.approx(math.log1p(x), rel=5e-16, abs=0.0)


@pytest.mark.parametrize("x", [-699.0, -30.5, -1e-9, 0.0, 1e-300, 0.34657, 0.34658, 1.0, 88.9, 699.0])
def test_exponential(x):
    assert exponential(x) == pytest.approx(math.exp(x), rel=1e-15)


def test_exponential_far_out_stays_finite():
    assert exponential(-1e9) == pytest.approx(math.exp(-700), rel=1e-12)
    assert exponential(1e9) == pytest.approx(math.exp(700), rel=1e-12)


def test_single_exponential_is_within_one_unit_in_the_last_place():
    draws = np.random.default_rng(0).uniform(-87.0, 87.0, 400).astype(np.float32)
    edges = np.float32([0.0, -0.0, 1e-30, -1e-9, 0.34657, -0.34658, 0.34658, 87.0, -87.0])
    for x in np.concatenate([draws, edges]):
        found = single_exponential(x)
        assert found == np.float32(found)
        assert found == pytest.approx(math.exp(x), rel=2.0**-23)


def test_single_exponential_far_out_stays_finite_and_normal():
    assert single_exponential(np.float32(-1e9)) == pytest.approx(math.exp(-87), rel=1e-6)
    assert single_exponential(np.float32(3e38)) == pytest.approx(math.exp(87), rel=1e-6)
