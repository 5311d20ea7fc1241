"""Standardised features against scikit-learn's scaler, and coefficients back on the raw features."""

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from gradus.runs.scaling import Standardisation


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_what_scikit_learn_does(dtype):
    features = (np.random.default_rng(0).normal(size=(200, 4)) * [1, 1e3, 1e-3, 7] + [0, 5e3, 0, -3]).astype(dtype)
    expected = StandardScaler().fit_transform(features.astype(np.float64))
    scaled = Standardisation.measured_on(features).apply(features)
    assert scaled.dtype == dtype
    np.testing.assert_allclose(scaled, expected, rtol=1e-4, atol=1e-4)


def test_a_constant_feature_stays_finite():
    features = np.full((10, 2), 0.1, dtype=np.float32)
    scaled = Standardisation.measured_on(features).apply(features)
    np.testing.assert_allclose(scaled, 0.0, atol=1e-6)


def test_unfolded_coefficients_give_raw_features_the_same_scores():
    generator = np.random.default_rng(1)
    features = generator.normal(size=(50, 3)) * [1, 100, 0.01] + [3, -50, 0]
    scaling = Standardisation.measured_on(features)
    coef, intercept = generator.normal(size=(4, 3)), generator.normal(size=4)
    raw_coef, raw_intercept = scaling.unfold(coef, intercept)
    np.testing.assert_allclose(features @ raw_coef.T + raw_intercept, scaling.apply(features) @ coef.T + intercept)


def test_the_identity_changes_nothing():
    features = np.ones((2, 3))
    assert Standardisation.identity(3).apply(features) is features
