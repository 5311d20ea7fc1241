"""gradus in benchopt's ``benchmark_logreg_l1``: coordinate descent or proximal Newton on the logistic loss.

As in ``SoftmaxRegression``, data with more features than rows and sparse data are descended on column by column.
benchopt minimises a sum over rows and gradus a mean, so its strength is divided by their number.
"""

import math

import numpy as np
import torch

from benchopt import BaseSolver
from gradus.kernels.threads import threads
from gradus.losses import ColumnModel, DenseFeatures, LinearModel, Logistic, SparseFeatures, column_access
from gradus.penalties import L1
from gradus.solvers import CoordinateDescent, ProximalNewton, Stop, Terms, minimize


class Solver(BaseSolver):
    """Runs a number of iterations from 0; what the curve measures is evaluated by benchopt, outside the time."""

    name = "gradus"
    install_cmd = "conda"
    requirements = ("pip:gradus",)
    sampling_strategy = "iteration"

    def set_objective(self, X, y, lmbd, **_):
        """Bind the data, as every solver here does outside the time measured, and compile."""
        samples, self.features = X.shape
        self.strength = lmbd / samples
        sparse = not isinstance(X, np.ndarray)
        rows = SparseFeatures(X.tocsr()) if sparse else DenseFeatures(torch.from_numpy(np.ascontiguousarray(X)))
        loss = Logistic(torch.from_numpy((np.asarray(y, dtype=np.float64) + 1) / 2)[:, None])
        weights = torch.full((samples,), 1 / samples, dtype=torch.float64)
        model, terms = LinearModel(loss, rows, weights, intercept=False), Terms(self.strength, 0.0, self.features)
        by_columns = sparse or samples < self.features
        self.smooth = ColumnModel(model, column_access(rows)) if by_columns else model
        self.solver = CoordinateDescent(terms) if by_columns else ProximalNewton(terms)
        self.zeros = model.zeros()
        self.run(3)

    def run(self, n_iter):
        """Take ``n_iter`` iterations; nothing but the iteration limit ends them."""
        stop = Stop(lambda point: math.inf, 0.0, int(n_iter), every=10**9)
        with threads(None):
            self.point = minimize(self.smooth, L1(self.strength), self.zeros, self.solver, stop).point

    def get_result(self):
        """Return the weights."""
        return {"beta": self.point.numpy().ravel()}
