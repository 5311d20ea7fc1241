import math

import numpy as np
import pytest

from gradus.kernels.compilation import compiled
from gradus.kernels.elementary import (
    exponential,
    exponential_as,
    logarithm,
    logarithm_as,
    number_as,
    single_exponential,
    single_logarithm,
)


@pytest.mark.parametrize("x", [1e-300, 1e-8, 0.5, 0.7071, 1.0, 1.0 + 1e-12, 1.4143, 2.0, 1e9, 1e300])
def test_logarithm(x):
    assert logarithm(x) == pytest.approx(math.log(x), rel=3e-16, abs=3e-16)


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


def test_single_logarithm_is_right_to_its_last_places():
    draws = np.exp(np.random.default_rng(0).uniform(-87.0, 88.0, 400)).astype(np.float32)
    edges = np.float32([1.0, 0.70710677, 0.70710683, 1.4142135, 1.4142137, 0.99999994, 1.0000001, 2.0**-126, 3.4e38])
    for x in np.concatenate([draws, edges]):
        found = single_logarithm(x)
        assert found == np.float32(found)
        assert found == pytest.approx(math.log(x), rel=2.0**-22, abs=1e-8)


@compiled()
def _of_its_type(like, x):
    return exponential_as(like, x), logarithm_as(like, x), number_as(like, x)


def test_functions_of_a_type_round_to_it():
    single, double = _of_its_type(np.float32(0), 1.2345678912345), _of_its_type(0.0, 1.2345678912345)
    assert double == pytest.approx((math.exp(1.2345678912345), math.log(1.2345678912345), 1.2345678912345), rel=1e-15)
    assert all(one == np.float32(one) for one in single)
    assert single == pytest.approx(double, rel=3e-7)
