"""gradus in benchopt's ``benchmark_logreg_l2``: L-BFGS, Newton-CG and, of few features, Newton on the logistic loss.

benchopt minimises a sum over rows and gradus a mean, so its strength is divided by their number.
"""

import math

import numpy as np
import torch

from benchopt import BaseSolver
from gradus.kernels.threads import threads
from gradus.losses import CholeskyPreconditioner, DenseFeatures, ExpandedModel, LinearModel, Logistic, SparseFeatures
from gradus.penalties import L2
from gradus.solvers import LBFGS, Newton, NewtonCG, Stop, Terms, minimize

# features up to which the Hessian as numbers is cheap
FEW = 64


class Solver(BaseSolver):
    """Runs a number of iterations from 0; what the curve measures is evaluated by benchopt, outside the time."""

    name = "gradus"
    install_cmd = "conda"
    requirements = ("pip:gradus",)
    sampling_strategy = "iteration"
    parameters = {"solver": ["lbfgs", "newton-cg", "newton"]}  # noqa: RUF012
    parameter_template = "{solver}"

    def skip(self, X, **_):
        """Leave Newton's method out where there are many features."""
        many = self.solver == "newton" and X.shape[1] > FEW
        return many, "many features" if many else None

    def set_objective(self, X, y, lmbd, **_):
        """Bind the data, as every solver here does outside the time measured, and compile."""
        samples = X.shape[0]
        self.strength = lmbd / samples
        sparse = not isinstance(X, np.ndarray)
        rows = SparseFeatures(X.tocsr()) if sparse else DenseFeatures(torch.from_numpy(np.ascontiguousarray(X)))
        loss = Logistic(torch.from_numpy((np.asarray(y, dtype=np.float64) + 1) / 2)[:, None])
        weights = torch.full((samples,), 1 / samples, dtype=torch.float64)
        self.model = LinearModel(loss, rows, weights, intercept=False)
        self.smooth = ExpandedModel(self.model) if self.solver == "newton" else self.model
        self.run(3)

    def run(self, n_iter):
        """Take ``n_iter`` iterations; the preconditioner is part of the time. Nothing but the limit ends them."""
        stop = Stop(lambda point: math.inf, 0.0, int(n_iter), every=10**9)
        with threads(None):
            if self.solver == "lbfgs":
                solver = LBFGS(CholeskyPreconditioner.at(self.model, self.model.zeros(), self.strength))
            elif self.solver == "newton":
                solver = Newton(Terms(0.0, self.strength, self.model.shape[0]))
            else:
                solver = NewtonCG()
            self.point = minimize(self.smooth, L2(self.strength), self.model.zeros(), solver, stop).point

    def get_result(self):
        """Return the weights."""
        return {"beta": self.point.numpy().ravel()}
