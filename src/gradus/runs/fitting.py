"""The fit step: choose the strength on validation rows, fit on all training rows, save."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from sklearn.exceptions import ConvergenceWarning

from gradus.core.errors import InputError
from gradus.estimators import ConvNetClassifier
from gradus.runs.directory import BASELINE, CHECKPOINT, MODEL
from gradus.runs.model import FitRecord, LinearClassifier
from gradus.runs.network import trained
from gradus.runs.on_disk import fitted_on_disk
from gradus.runs.scaling import Standardisation
from gradus.runs.strengths import Rows, certified_gap, fitted

if TYPE_CHECKING:
    from pathlib import Path

    from gradus.runs.run import Run


def fit(run: Run) -> dict[str, Any]:
    """Fit the classifier of ``run``, write ``model.safetensors``, and return what else is known of the fit.

    Where two are compared, the linear one is written to ``baseline.safetensors``.
    """
    kind = run.kind
    (run.directory / BASELINE).unlink(missing_ok=True)
    facts = {} if kind == "convnet" else fit_linear(run, run.directory / (MODEL if kind == "softmax" else BASELINE))
    if kind != "softmax":
        fit_network(run)
    return facts


def fit_network(run: Run) -> None:
    """Train a network on the training images of ``run`` and write ``model.safetensors``.

    A map of what an earlier network had learned is deleted.
    """
    config, dataset, rows = run.config.fit, run.dataset, run.split.train
    assert dataset.images is not None
    estimator = ConvNetClassifier(
        epochs=config.epochs,
        flip=config.flip,
        channels="last",  # as a dataset has them, whatever the sides
        class_weight=config.class_weight,
        random_state=run.config.seed,
        checkpoint=run.directory / CHECKPOINT,
    )
    with warnings.catch_warnings():
        # that a training diverged is told by its status
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(dataset.images[rows], run.labels[rows])
    run.directory.discard("map")
    trained(estimator, dataset.class_names, len(rows)).save(run.directory / MODEL)


def fit_linear(run: Run, path: Path) -> dict[str, Any]:
    """Fit softmax regression, write it to ``path``, and return the seconds of each fit of the path.

    The test rows take no part: "auto" chooses alpha on validation rows that are drawn from the training rows.
    """
    config, dataset, rows = run.config.fit, run.dataset, run.split.train
    scaling = standardisation(run)
    if dataset.on_disk:
        choice = fitted_on_disk(config, Rows(dataset.features, run.labels), rows, run.directory / CHECKPOINT)
    else:
        train = Rows(scaling.apply(dataset.features[rows]), run.labels[rows])
        choice = fitted(config, train, run.config.seed, run.directory / CHECKPOINT)
    estimator = choice.classifier
    coef, intercept = scaling.unfold(estimator.coef_, estimator.intercept_)
    record = FitRecord(
        alpha=float(estimator.alpha),
        l1_ratio=config.l1_ratio,
        relative_gap=certified_gap(estimator),
        iterations=int(estimator.n_iter_),
        status=estimator.status_,
        scaling=config.scale if config.scale != "auto" else ("standard" if is_table(run) else "none"),
        train_rows=len(rows),
        validation_rows=choice.validation_rows,
        path=choice.path,
        one_standard_error=choice.one_standard_error,
    )
    shape = None if dataset.images is None else dataset.images.shape[1:]
    model = LinearClassifier(coef, intercept, dataset.class_names, dataset.feature_names, shape, record)
    model.save(path)
    return {"path_seconds": choice.seconds} if choice.seconds else {}


def is_table(run: Run) -> bool:
    """Tell whether the features are columns with names, each on a scale of its own, and not pixels or an embedding."""
    return run.dataset.feature_names is not None and run.dataset.images is None


def standardisation(run: Run) -> Standardisation:
    """Return the scaling of the features, measured on the training rows."""
    scale = run.config.fit.scale
    if scale == "standard" and run.dataset.on_disk:
        raise InputError(
            f"--scale is standard, and {run.dataset.name} is large and stays on disk, where features are used as they "
            "are: give --scale none, or --sample to read some rows"
        )
    if scale == "none" or (scale == "auto" and not is_table(run)):
        return Standardisation.identity(run.dataset.features.shape[1])
    return Standardisation.measured_on(run.dataset.features[run.split.train])
