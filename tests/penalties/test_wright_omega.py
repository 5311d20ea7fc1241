"""Wright's omega against mpmath's Lambert W, and SciPy over the whole range."""

import mpmath
import numpy as np
import pytest
import scipy.special
import torch

from gradus.penalties import Entropy, wright_omega


@pytest.mark.parametrize("z", [-650.0, -30.0, -2.0, -0.5, 0.0, 0.999, 1.0, 1.001, 2.0, 2.001, 5.0, 700.0, 1e6])
def test_equals_mpmaths_lambert_w(z):
    with mpmath.workdps(400):
        expected = float(mpmath.lambertw(mpmath.exp(mpmath.mpf(z))).real)
    assert wright_omega(torch.tensor(z, dtype=torch.float64)).item() == pytest.approx(expected, rel=3e-13)


def test_equals_scipy_everywhere():
    z = np.concatenate([np.linspace(-745, 750, 20001), np.geomspace(1, 1e300, 500), np.linspace(-5, 5, 2001)])
    found = wright_omega(torch.from_numpy(z)).numpy()
    np.testing.assert_allclose(found, scipy.special.wrightomega(z), rtol=3e-13, atol=1e-320)


def test_the_prox_of_the_entropy_by_mpmath():
    for v, strength, step in [(2.0, 0.7, 0.3), (-3.0, 1.5, 2.0), (1e3, 1e-3, 1.0), (-5.0, 0.1, 1.0)]:
        threshold = mpmath.mpf(strength) * step
        with mpmath.workdps(600):
            expected = float(threshold * mpmath.lambertw(mpmath.exp(v / threshold - 1) / threshold).real)
        found = Entropy(strength).prox(torch.tensor([v], dtype=torch.float64), step).item()
        assert found == pytest.approx(expected, rel=1e-11)
