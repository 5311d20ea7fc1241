"""Multinomial logistic regression that says how far from the optimum it stopped."""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import scipy.sparse
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import accuracy_score
from sklearn.utils.validation import check_is_fitted

from gradus.core import unwritten
from gradus.estimators.shortfall import SEPARABLE, separated, shortfall
from gradus.estimators.softmax_problem import (
    Settings,
    certificate,
    checked_penalty,
    is_gap,
)
from gradus.estimators.solving import Way, checkpoint_of, solved
from gradus.estimators.starting import started
from gradus.estimators.stderr import reporting_to_stderr
from gradus.estimators.tensors import answered, as_array, elsewhere, labels_at
from gradus.estimators.validation import TrainingData, new_data, training_data
from gradus.kernels.threads import threads
from gradus.losses import CrossEntropy, LinearModel
from gradus.penalties import Nonconvex

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import NDArray

    from gradus.core.protocols import Proximable
    from gradus.core.solution import Solution
    from gradus.losses import Features


class SoftmaxRegression(ClassifierMixin, BaseEstimator):
    """Softmax (multinomial logistic) regression with an elastic-net or any other proximable penalty.

    Minimises, over weights W and an unpenalised intercept b,

    sum_i w_i (lse(z_i) - z_i[y_i]) + alpha ((1 - l1_ratio) / 2 |W|^2 + l1_ratio |W|_1),  z_i = W x_i / temperature + b,

    with weights w_i = sample weight times class weight, normalised to sum 1: scikit-learn's C is 1 / (alpha n). The fit
    stops when the relative duality gap, an upper bound on (objective - minimum) / objective computed in float64 apart
    from the solver, is at most ``tol``. Where it cannot get there it warns and says how far it got.

    Parameters
    ----------
    alpha : strength of the penalty, >= 0. With 0 there is no duality gap, and ``tol`` is compared with the norm of the
        gradient relative to its norm at W = 0
    l1_ratio : share of the absolute values in the penalty, in [0, 1]
    penalty : None, or an object of ``gradus.penalties`` that replaces ``alpha`` and ``l1_ratio``; it is given the
        weights as a matrix (features, classes). Without a conjugate ``tol`` is compared with the relative norm of the
        gradient mapping; one that is not convex starts from the solution under its convex relative
    fit_intercept : whether the logits have an intercept
    temperature : > 0; divides W x
    class_weight : None, "balanced", or a dict from class to weight
    tol : > 0
    max_iter : most iterations, >= 0
    solver : "lbfgs", "newton" (``L2``, ``L1``, ``ElasticNet``, ``GroupLasso``, ``SparseGroupLasso`` of rows, at most
        2,048 weights), "newton-cg", "proximal-newton" (the same but ``L2``, any number), "coordinate-descent" (the
        same, on data in memory), "proximal-gradient" (FISTA), "davis-yin" (one penalty or a ``Sum`` of two),
        "primal-dual" (any sum, also behind linear maps), or "auto": where data and weights are few, Newton's method
        with the Hessian as numbers for what it takes; for squared weights Newton's method by conjugate gradients up to
        4,096 features and 64 classes, and L-BFGS where the penalty is smooth otherwise; coordinate descent for what it
        takes on CSR data and on dense data with fewer rows than features, and proximal Newton for what it takes on
        other dense data of few classes; Davis-Yin or primal-dual for sums; FISTA elsewhere, and for coordinate descent
        on a GPU
    warm_start : start from the last fit where its shape and classes are the same
    random_state : accepted for the interface; nothing here is random
    verbose : 1 prints progress to stderr
    checkpoint : None, or the path of a file for fits that take long: at most every 30 seconds the solver's state is
        written there; the same fit, begun again after its process was killed, goes on from it, and deletes the file
        when it is done

    Attributes
    ----------
    coef_ : (classes, features); one row per class for two classes too; after ``sparsify`` a SciPy CSR matrix
    intercept_ : (classes,)
    classes_ : the labels, sorted
    n_iter_ : iterations of the last fit
    objective_ : the minimised value
    dual_gap_ : upper bound on objective_ - minimum; NaN where there is no gap (see ``alpha`` and ``penalty``)
    relative_gap_ : what was compared with ``tol``
    status_ : "converged", "iteration_limit", "stalled" or "diverged"; under a penalty that is not convex "stationary"
        instead of "converged": the gradient mapping is small, and other minima may be lower
    n_features_in_, feature_names_in_ : as in scikit-learn

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxRegression(alpha=1e-3).fit(X, y)
    >>> model.coef_.shape, model.status_, bool(model.relative_gap_ <= 1e-4)
    ((3, 4), 'converged', True)
    >>> round(model.score(X, y), 2)
    0.99
    """

    def __init__(
        self,
        alpha: float = 1e-4,
        l1_ratio: float = 0.0,
        penalty: Proximable | None = None,
        fit_intercept: bool = True,
        temperature: float = 1.0,
        class_weight: Any = None,
        tol: float = 1e-4,
        max_iter: int = 1000,
        solver: str = "auto",
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int = 0,
        checkpoint: str | PathLike[str] | None = None,
    ) -> None:
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.penalty = penalty
        self.fit_intercept = fit_intercept
        self.temperature = temperature
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose
        self.checkpoint = checkpoint

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit on ``X`` (samples, features), dense or CSR, and labels ``y`` (samples,).

        A torch tensor ``X`` is computed with on the device that it is on, where ``y`` and ``sample_weight`` follow it;
        the attributes are NumPy arrays all the same.

        ``y`` may also be probabilities (samples, classes), rows that sum to 1, such as another model's or the shares of
        several annotators: ``classes_`` are then the numbers of the columns, and "balanced" weights count each row by
        its shares.

        float32, float16 and uint8, and of a tensor bfloat16, stay what they are and are computed with in float32,
        exactly as the numbers stored; anything else becomes float64. A memory-mapped array of these or of float64
        (``np.load(path, mmap_mode="r")``) that is larger than 64 MB is read a chunk at a time in every pass, and need
        not fit into memory.

        Raises
        ------
        InputError : for settings outside their range and data that cannot be fitted
        """
        settings = Settings(self.alpha, self.l1_ratio, self.temperature, self.tol, self.max_iter, self.solver)
        penalty = settings.penalty() if self.penalty is None else checked_penalty(self.penalty)
        data = training_data(self, X, y, sample_weight, self.class_weight)
        previous = self._previous(data) if self.warm_start else None
        model = self._model(data)
        bound = certificate(model, penalty, settings.tol)
        kept = None if self.checkpoint is None else checkpoint_of(Path(self.checkpoint), model, penalty, settings)

        def start() -> torch.Tensor:
            if previous is not None:
                return _point(model, previous)
            resumed = kept is not None and kept.state is not None
            return model.zeros() if resumed else started(model, penalty, settings)

        with reporting_to_stderr(self.verbose), threads(None):
            solution = solved(model, penalty, settings, Way(start(), bound, kept))
        if kept is not None:
            kept.discard()
        self._publish(solution, data)
        self.dual_gap_ = solution.certificate * abs(solution.value) if is_gap(bound) else math.nan
        if solution.converged and isinstance(penalty, Nonconvex):
            self.status_ = "stationary"
        self._warn(solution, model)
        return self

    def decision_function(self, X: Any) -> Any:
        """Return the logits (samples, classes); of two classes their difference (samples,), positive for the second.

        This and the predictions are what ``X`` is: tensors on its device for a tensor, else NumPy arrays.
        """
        logits = self._logits(X)
        return answered(logits[:, 1] - logits[:, 0] if len(self.classes_) == 2 else logits, X)

    def predict(self, X: Any) -> Any:
        """Return the class of the largest logit for each row."""
        return labels_at(self._logits(X).argmax(dim=1), self.classes_, X)

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities (samples, classes); rows sum to 1."""
        return answered(torch.softmax(self._logits(X), dim=1), X)

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithms of the probabilities (samples, classes), finite where the probability underflows."""
        return answered(torch.log_softmax(self._logits(X), dim=1), X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of the rows, by weight, whose class is predicted."""
        predicted = as_array(self.predict(X))
        return float(accuracy_score(as_array(y), predicted, sample_weight=as_array(sample_weight)))

    def sparsify(self) -> Self:
        """Store ``coef_`` as a SciPy CSR matrix: smaller, and faster to predict with, where few weights are not 0."""
        check_is_fitted(self)
        self.coef_: Any = scipy.sparse.csr_matrix(self.coef_)
        return self

    def densify(self) -> Self:
        """Store ``coef_`` as an array again, as ``fit`` does."""
        self.coef_ = self._dense_weights()
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _model(self, data: TrainingData) -> LinearModel[CrossEntropy]:
        loss = CrossEntropy(data.targets, len(data.classes))
        return LinearModel(loss, data.features, data.weights, bool(self.fit_intercept), 1.0 / self.temperature)

    def _previous(self, data: TrainingData) -> NDArray[np.floating[Any]] | None:
        """Return the last fit as a point, where its classes and features are those of ``data``."""
        classes = getattr(self, "classes_", None)
        if classes is None or not np.array_equal(classes, data.classes):
            return None
        if self.coef_.shape[1] != data.features.shape[1]:
            return None
        weights = self._dense_weights().T
        return np.vstack([weights, self.intercept_]) if self.fit_intercept else weights

    def _dense_weights(self) -> NDArray[np.floating[Any]]:
        check_is_fitted(self)
        weights: NDArray[np.floating[Any]] = self.coef_ if isinstance(self.coef_, np.ndarray) else self.coef_.toarray()
        return weights

    def _publish(self, solution: Solution, data: TrainingData) -> None:
        point, features = solution.point.cpu(), data.features.shape[1]
        self.classes_ = data.classes
        self.coef_ = unwritten.transposed(point[:features]).numpy()
        self.intercept_ = (
            point[features].numpy().copy() if self.fit_intercept else np.zeros(len(data.classes), self.coef_.dtype)
        )
        self.n_iter_ = solution.iterations
        self.objective_ = solution.value
        self.relative_gap_ = solution.certificate
        self.status_ = solution.status.name.lower()

    def _warn(self, solution: Solution, model: LinearModel[CrossEntropy]) -> None:
        unpenalised = self.penalty is None and self.alpha == 0
        sentence = shortfall(solution, self.tol, is_gap=not math.isnan(self.dual_gap_))
        if unpenalised and separated(model, solution):
            sentence = SEPARABLE
        if sentence:
            warnings.warn(sentence, ConvergenceWarning, stacklevel=3)

    def _logits(self, X: Any) -> torch.Tensor:
        check_is_fitted(self)
        features = new_data(self, X)
        place = (features.device, features.dtype)
        if isinstance(self.coef_, np.ndarray) or elsewhere(X):
            weights = torch.from_numpy(np.ascontiguousarray(self._dense_weights().T)).to(*place)
            slopes = features.times(weights / self.temperature)
        else:
            slopes = _sparse_products(features, self.coef_) / self.temperature
        return slopes + torch.from_numpy(self.intercept_).to(*place)


def _sparse_products(features: Features, weights: Any) -> torch.Tensor:
    """Return X W' for sparse W, (samples, classes), dense, in the dtype of X."""
    parts = []
    for _, chunk in features.chunks():
        matrix: Any = chunk.to(features.dtype).numpy() if isinstance(chunk, torch.Tensor) else chunk
        products = weights.astype(matrix.dtype) @ matrix.T
        dense = products if isinstance(products, np.ndarray) else products.toarray()
        parts.append(torch.from_numpy(np.ascontiguousarray(dense.T)))
    return torch.cat(parts)


def _point(model: LinearModel[CrossEntropy], previous: NDArray[np.floating[Any]]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(previous)).to(model.features.device, model.features.dtype)
