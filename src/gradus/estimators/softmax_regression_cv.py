"""Softmax regression whose strength is chosen on rows that were not fitted."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from gradus.core.errors import InputError
from gradus.estimators.cross_validation import Exam, PathPlan, examined
from gradus.estimators.folds import chosen_folds, taken
from gradus.estimators.path_results import Judge, coefficients, collected, with_coefficients
from gradus.estimators.scoring import Scoring, chosen_scoring
from gradus.estimators.selection import chosen_selection
from gradus.estimators.softmax_problem import Settings
from gradus.estimators.softmax_regression import SoftmaxRegression
from gradus.estimators.stderr import reporting_to_stderr
from gradus.estimators.strengths import chosen_strengths
from gradus.estimators.tensors import as_array
from gradus.estimators.validation import TrainingData, new_data, soft_labels, training_data
from gradus.kernels.threads import threads

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gradus.estimators.folds import Fold
    from gradus.estimators.regularisation_path import PathPoint
    from gradus.losses import Features


class SoftmaxRegressionCV(ClassifierMixin, BaseEstimator):
    """Softmax regression at the strength of the penalty that does best on rows held out.

    For each fold a path of fits runs from the strongest penalty to the weakest, each begun where the ones before lead
    to, and each certified by its duality gap as in ``SoftmaxRegression``. The rows held out choose the strength; the
    classifier is then fitted on all rows. The scores of the chosen strength are those of a choice, and flatter it:
    report rows that took no part in ``fit``.

    Parameters
    ----------
    alphas : how many strengths, down from the analytic strongest (see ``alphas_``) to a millionth of it; or the
        strengths themselves; or "dinov2" (the 45 values of scikit-learn's C = 10^linspace(-6, 5)) or "clip" (96 values
        of C from 1e-6 to 1e6), where alpha = 1 / (C times the sum of the sample weights)
    l1_ratio : share of the absolute values in the penalty, in [0, 1]
    cv : number of stratified folds, a splitter of scikit-learn (``PredefinedSplit`` for given ones), or pairs of
        positions (fitted, held out)
    validation : instead of ``cv`` one fold: the share of the rows that is held out, or rows (X, y), which then take no
        part in any fit
    scoring : "error" (top-1), "cross_entropy", or the k of a top-k error
    selection : "min", the lowest mean score; "one_standard_error", the strongest penalty within one standard error of
        it; "likeliest_of_equals", the lowest cross-entropy among the strengths whose top-1 error is within one standard
        error of the lowest
    refit : whether to fit all rows at the chosen strength; else the coefficients are the mean over the folds
    patience : None, or end a path after so many strengths without a lower cross-entropy on the rows held out
    keep_path : whether ``results_`` keeps the coefficients of every fit
    fit_intercept, temperature, class_weight, tol, max_iter, solver : as in ``SoftmaxRegression``; "balanced" weights
        are those of all rows
    random_state : draws the folds; None takes them in order (``validation`` as a share is then drawn anew each time)
    verbose : 1 prints progress to stderr

    Attributes
    ----------
    alpha_ : the chosen strength
    alphas_ : (alphas,) strengths tried, strongest first. A given number of them begins where next to nothing is
        learned: with an L1 part the smallest strength whose weights are all 0, else the features' total variance
    results_ : ``PathResults``: scores, errors with intervals, gaps, iterations and times of each fold and strength
    coef_, intercept_, classes_, n_iter_, dual_gap_, relative_gap_, objective_, status_ : of the final fit
    n_features_in_, feature_names_in_ : as in scikit-learn

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = SoftmaxRegressionCV(alphas=7, scoring="cross_entropy").fit(X, y)
    >>> model.results_.error.shape, bool(model.results_.relative_gap.max() <= 1e-4)
    ((5, 7), True)
    >>> bool(model.alphas_[-1] < model.alpha_ < model.alphas_[0])
    True
    """

    def __init__(
        self,
        alphas: Any = 10,
        l1_ratio: float = 0.0,
        cv: Any = 5,
        validation: Any = None,
        scoring: str | int = "error",
        selection: str = "min",
        refit: bool = True,
        patience: int | None = None,
        keep_path: bool = False,
        fit_intercept: bool = True,
        temperature: float = 1.0,
        class_weight: Any = None,
        tol: float = 1e-4,
        max_iter: int = 1000,
        solver: str = "auto",
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.alphas = alphas
        self.l1_ratio = l1_ratio
        self.cv = cv
        self.validation = validation
        self.scoring = scoring
        self.selection = selection
        self.refit = refit
        self.patience = patience
        self.keep_path = keep_path
        self.fit_intercept = fit_intercept
        self.temperature = temperature
        self.class_weight = class_weight
        self.tol = tol
        self.max_iter = max_iter
        self.solver = solver
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose the strength and fit on ``X`` (samples, features), dense or CSR, and labels ``y`` (samples,).

        ``y`` may be probabilities (samples, classes), as in ``SoftmaxRegression``: folds are then stratified by the
        likeliest class, and an error is what is expected for a label drawn from the row's probabilities. float32 stays
        float32, anything else becomes float64. Besides ``X`` the rows of one fold are held in memory.

        Raises
        ------
        InputError : for settings outside their range, data that cannot be fitted, and folds that cannot be made
        """
        settings = Settings(1.0, self.l1_ratio, self.temperature, self.tol, self.max_iter, self.solver)
        selection = chosen_selection(self.selection)
        data = training_data(self, X, y, sample_weight, self.class_weight)
        codes = data.codes.cpu().numpy()
        weights = torch.from_numpy(_check_sample_weight(as_array(sample_weight), codes, dtype=np.float64))
        with reporting_to_stderr(self.verbose), threads(None):
            plan = self._plan(settings, data, float(weights.sum()))
            exams, count = self._exams(data, weights.to(data.features.device))
            folds = examined(exams, plan, count)
        results = collected(folds)
        chosen = selection.index(results)
        self.results_ = with_coefficients(results, folds, self.n_features_in_) if self.keep_path else results
        self.alphas_, self.alpha_ = results.alphas, float(results.alphas[chosen])
        self.classifier_ = self._at_chosen([fold.points[chosen] for fold in folds], data.classes)
        if self.refit:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                self.classifier_.fit(X, y, sample_weight)
        self._publish(chosen)
        return self

    def decision_function(self, X: Any) -> Any:
        """Return the logits (samples, classes); of two classes their difference (samples,), positive for the second."""
        return self._fitted().decision_function(X)

    def predict(self, X: Any) -> Any:
        """Return the class of the largest logit for each row."""
        return self._fitted().predict(X)

    def predict_proba(self, X: Any) -> Any:
        """Return the probabilities (samples, classes); rows sum to 1."""
        return self._fitted().predict_proba(X)

    def predict_log_proba(self, X: Any) -> Any:
        """Return the logarithms of the probabilities (samples, classes), finite where the probability underflows."""
        return self._fitted().predict_log_proba(X)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of the rows, by weight, whose class is predicted."""
        return self._fitted().score(X, y, sample_weight)

    def sparsify(self) -> Self:
        """Store ``coef_`` as a SciPy CSR matrix: smaller, and faster to predict with, where few weights are not 0."""
        self.coef_: Any = self._fitted().sparsify().coef_
        return self

    def densify(self) -> Self:
        """Store ``coef_`` as an array again, as ``fit`` does."""
        self.coef_ = self._fitted().densify().coef_
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def _plan(self, settings: Settings, data: TrainingData, mass: float) -> PathPlan:
        """Return what is fitted along every path, for rows of total weight ``mass``."""
        patience = self.patience
        if patience is not None and not (isinstance(patience, int) and patience >= 1):
            raise InputError(f"patience is {patience!r}; expected None or a whole number of strengths >= 1")
        plan = PathPlan(settings, bool(self.fit_intercept), np.empty(0), patience)
        alphas = chosen_strengths(self.alphas, plan.model(data), settings.l1_ratio, mass)
        return replace(plan, alphas=alphas)

    def _exams(self, data: TrainingData, weights: torch.Tensor) -> tuple[Iterator[Exam], int]:
        """Return the folds, made one at a time, and their number."""
        scoring = chosen_scoring(self.scoring, len(data.classes))
        if isinstance(self.validation, tuple | list):
            return iter([Exam(data, *self._given_rows(data, scoring))]), 1
        folds = chosen_folds(self.cv, self.validation, data.codes.cpu().numpy(), self.random_state)

        def exam(fold: Fold) -> Exam:
            held_out = torch.from_numpy(fold.held_out).to(data.features.device)
            judge = Judge(data.targets[held_out], weights[held_out], scoring)
            return Exam(taken(data, fold.fitted), data.features.taken(held_out), judge)

        return (exam(fold) for fold in folds), len(folds)

    def _given_rows(self, data: TrainingData, scoring: Scoring) -> tuple[Features, Judge]:
        """Return the rows and labels of ``validation``, checked."""
        if len(self.validation) != 2:
            raise InputError(f"validation has {len(self.validation)} parts; expected the two of (X, y)")
        features = new_data(self, self.validation[0])
        targets = _given_targets(self.validation[1], features.shape[0], data)
        if features.device != data.features.device:
            raise InputError(
                f"validation has its rows on {features.device}, and X is on {data.features.device}: move one of them"
            )
        features = features if features.dtype == data.features.dtype else features.to(data.features.dtype)
        return features, Judge(targets, torch.ones(len(targets), dtype=torch.float64, device=targets.device), scoring)

    def _at_chosen(self, points: Sequence[PathPoint], classes: NDArray[Any]) -> SoftmaxRegression:
        """Return the classifier whose coefficients are the mean of ``points``, and which would start from them."""
        classifier = SoftmaxRegression(
            alpha=self.alpha_,
            l1_ratio=self.l1_ratio,
            fit_intercept=self.fit_intercept,
            temperature=self.temperature,
            class_weight=self.class_weight,
            tol=self.tol,
            max_iter=self.max_iter,
            solver=self.solver,
            warm_start=True,
            verbose=self.verbose,
        )
        weights, intercept = coefficients(torch.stack([point.solution.point for point in points]), self.n_features_in_)
        classifier.classes_ = classes
        classifier.coef_, classifier.intercept_ = weights.mean(axis=0), intercept.mean(axis=0)
        classifier.n_iter_ = max(point.solution.iterations for point in points)
        return classifier

    def _publish(self, chosen: int) -> None:
        """Take the final classifier's attributes over, and warn where a fit stopped early."""
        final, results = self.classifier_, self.results_
        final.n_features_in_ = self.n_features_in_
        self.coef_, self.intercept_, self.classes_ = final.coef_, final.intercept_, final.classes_
        self.n_iter_ = final.n_iter_
        if self.refit:
            self.objective_, self.dual_gap_ = final.objective_, final.dual_gap_
            self.relative_gap_, self.status_ = final.relative_gap_, final.status_
        else:
            self.relative_gap_ = float(results.relative_gap[:, chosen].max())
        unfinished = int((~results.converged).sum()) + int(self.refit and final.status_ != "converged")
        if unfinished:
            worst = max(float(results.relative_gap.max()), self.relative_gap_)
            warnings.warn(
                f"{unfinished} of {results.converged.size + int(self.refit)} fits stopped with a relative duality gap "
                f"above tol={self.tol:g}, the worst at {worst:.2e}: results_.relative_gap has them; raise max_iter or "
                "leave out the weakest strengths",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _fitted(self) -> SoftmaxRegression:
        check_is_fitted(self)
        return self.classifier_


def _given_targets(labels: Any, rows: int, data: TrainingData) -> torch.Tensor:
    """Return the labels of rows for validation as codes, or as the probabilities that they are."""
    labels, device = np.asarray(as_array(labels)), data.features.device
    if labels.ndim == 2 and data.targets.ndim == 2 and labels.shape == (rows, len(data.classes)):
        return torch.from_numpy(soft_labels(labels)).to(device)
    if labels.shape != (rows,):
        raise InputError(f"validation has {rows} rows and labels of shape {labels.shape}")
    unknown = np.setdiff1d(labels, data.classes)
    if len(unknown):
        raise InputError(f"validation has the label {unknown.tolist()[0]!r}, which y has not: every class must be in y")
    return torch.from_numpy(np.searchsorted(data.classes, labels).astype(np.int64)).to(device)
