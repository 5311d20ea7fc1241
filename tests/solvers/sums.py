"""Smooth functions and a certificate for sums of penalties, and minima found by SciPy."""

import numpy as np
import scipy.optimize
import torch


class Distance:
    """f(x) = |x - target|^2 / 2"""

    def __init__(self, target):
        self.target = target

    def value(self, point):
        return 0.5 * (point - self.target).double().square().sum()

    def value_and_gradient(self, point):
        return self.value(point), point - self.target


class LeastSquares:
    """f(x) = |A x - b|^2 / 2"""

    def __init__(self, matrix, target):
        self.matrix, self.target = matrix, target

    def value(self, point):
        return 0.5 * (self.matrix @ point - self.target).double().square().sum()

    def value_and_gradient(self, point):
        residual = self.matrix @ point - self.target
        return 0.5 * residual.double().square().sum(), self.matrix.T @ residual


class Nothing:
    """f(x) = 0"""

    def value(self, point):
        return torch.zeros((), dtype=torch.float64)

    def value_and_gradient(self, point):
        return self.value(point), torch.zeros_like(point)


def gradient_mapping(smooth, penalty, step=0.1):
    """The certificate: the distance to one proximal gradient step, over the step."""

    def measure(point):
        gradient = smooth.value_and_gradient(point)[1]
        return float(torch.linalg.vector_norm(point - penalty.prox(point - step * gradient, step))) / step

    return measure


def scipys_minimum(smooth, start, constraints=(), bounds=None):
    """Sequential quadratic programming, an active-set method."""

    def both(flat):
        value, gradient = smooth.value_and_gradient(torch.from_numpy(flat))
        return value.item(), gradient.numpy()

    found = scipy.optimize.minimize(
        both,
        np.asarray(start),
        jac=True,
        method="SLSQP",
        bounds=bounds,
        constraints=constraints,
        options={"ftol": 1e-12, "maxiter": 1000},
    )
    assert found.success, found.message
    return found.x


def numbers(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
