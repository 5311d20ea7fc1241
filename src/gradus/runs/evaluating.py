"""The evaluate step: the errors on the held-out rows, and the prediction for every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.special import logsumexp

from gradus.core import progress
from gradus.core.files import written_whole
from gradus.metrics import PerClass, TopKErrors, Wilson, compare_top_k, rank_counts, top_k_errors_from_counts
from gradus.report import Predictions
from gradus.runs.directory import METRICS, PREDICTIONS
from gradus.runs.environment import write_json

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.runs.run import Run

_BLOCK_ROWS = 16_384
_FEW_GUESSES = 5


def evaluate(run: Run) -> None:
    """Write ``metrics.json`` and ``predictions.parquet`` of a fitted ``run``."""
    predictions, cross_entropy = predict_all(run)
    save_predictions(run, predictions)
    write_json(run.directory / METRICS, _metrics(run, predictions, cross_entropy))


def predict_all(run: Run) -> tuple[Predictions, float]:
    """Return the predictions for every row, and the mean cross-entropy, in nats, over the test rows."""
    labels, model = run.labels, run.model
    model.check(run.dataset, run.directory.path)
    is_test = np.zeros(len(labels), dtype=bool)
    is_test[run.split.test] = True
    predictions = Predictions(
        predicted=np.empty(len(labels), np.int64),
        probability=np.empty(len(labels), np.float32),
        greater=np.empty(len(labels), np.int32),
        equal=np.empty(len(labels), np.int32),
        is_test=is_test,
    )
    losses = np.empty(len(labels))
    with progress.task("evaluating", total=len(labels)) as task:
        for start in range(0, len(labels), _BLOCK_ROWS):
            rows = slice(start, start + _BLOCK_ROWS)
            losses[rows] = _predict_block(predictions, rows, model.scores(run.dataset, rows), labels[rows])
            task.advance(len(labels[rows]))
    return predictions, float(losses[run.split.test].mean())


def _predict_block(
    predictions: Predictions, rows: slice, scores: NDArray[np.floating], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Fill ``rows`` of ``predictions`` and return the cross-entropy of each row."""
    normaliser = logsumexp(scores.astype(np.float64), axis=1)
    index = np.arange(len(labels))
    predictions.predicted[rows] = scores.argmax(axis=1)
    predictions.probability[rows] = np.exp(scores.max(axis=1) - normaliser)
    predictions.greater[rows], predictions.equal[rows] = rank_counts(labels, scores)
    losses: NDArray[np.float64] = normaliser - scores[index, labels]
    return losses


def _metrics(run: Run, predictions: Predictions, cross_entropy: float) -> dict[str, Any]:
    """Return the content of ``metrics.json``; docs/run-directory.md lists its fields."""
    test, labels, names = run.split.test, run.labels, run.dataset.class_names
    config, record = run.config.evaluate, run.model.record
    errors = top_k_errors_from_counts(
        labels[test],
        (predictions.greater[test], predictions.equal[test]),
        n_classes=len(names),
        k=range(1, min(config.largest_k, len(names) - 1) + 1),  # with as many guesses as classes none is wrong
        interval=Wilson(level=config.level),
    )
    stated = errors.as_dict()
    common = int(np.bincount(labels[run.split.train], minlength=len(names)).argmax())
    compared = _compared(run)
    return {
        "rows": {"train": record.train_rows, "validation": record.validation_rows, "test": len(test)},
        "classes": list(names),
        "interval": stated["interval"],
        "top_k": stated["top_k"],
        "ties": stated["ties"],
        "cross_entropy": cross_entropy,
        "baseline": {"class": names[common], "error": float((labels[test] != common).mean())},
        "per_class": _per_class(errors, predictions.predicted[test], names),
        "fit": record.facts(),
        **({} if compared is None else {"comparison": compared}),
    }


def _compared(run: Run) -> dict[str, Any] | None:
    """Return how the other classifier of a run of two errs on the same test rows; None where there is one only."""
    if run.baseline is None:
        return None
    test, most = run.split.test, len(run.dataset.class_names) - 1
    ours, theirs = (model.scores(run.dataset, test) for model in (run.model, run.baseline))
    paired = [compare_top_k(run.labels[test], ours, theirs, k).as_dict() for k in (1, _FEW_GUESSES) if k <= most]
    kinds = (model.record.facts()["model"] for model in (run.model, run.baseline))
    return {**dict(zip("ab", kinds, strict=True)), "top_k": paired}


def _per_class(errors: TopKErrors, predicted: NDArray[np.int64], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return a row for every class: its errors with one guess and with a few, and how often it was predicted."""
    few = min(_FEW_GUESSES, len(errors.k)) - 1
    given = np.bincount(predicted, minlength=len(names))
    classes = errors.per_class
    return [
        {
            "class": name,
            "rows": int(classes.rows[code]),
            "predicted": int(given[code]),
            **_limits(classes, code, 0),
            "top_k": {"k": errors.k[few], **_limits(classes, code, few)},
        }
        for code, name in enumerate(names)
    ]


def _limits(classes: PerClass, code: int, column: int) -> dict[str, float | None]:
    """Return the error of a class and its interval; None where the class has no test rows."""
    figures = {"error": classes.error, "low": classes.low, "high": classes.high}
    return {name: None if classes.rows[code] == 0 else float(figure[code, column]) for name, figure in figures.items()}


def save_predictions(run: Run, predictions: Predictions) -> None:
    """Write ``predictions.parquet``: names instead of codes, one row per row of the data."""
    names = np.array(run.dataset.class_names, dtype=object)
    table = pa.table(
        {
            "row_id": run.dataset.row_ids.tolist(),
            "split": np.where(predictions.is_test, "test", "train").tolist(),
            "label": pa.array(names[run.labels].tolist(), pa.string()),
            "predicted": pa.array(names[predictions.predicted].tolist(), pa.string()),
            "probability": predictions.probability,
            "greater": predictions.greater,
            "equal": predictions.equal,
        }
    )
    with written_whole(run.directory / PREDICTIONS) as unfinished:
        pq.write_table(table, unfinished)


def load_predictions(path: Path, class_names: tuple[str, ...]) -> Predictions:
    """Return the predictions that ``path`` holds."""
    table = pq.read_table(path)
    code = {name: position for position, name in enumerate(class_names)}
    return Predictions(
        np.array([code[name] for name in table["predicted"].to_pylist()], dtype=np.int64),
        table["probability"].to_numpy(),
        table["greater"].to_numpy(),
        table["equal"].to_numpy(),
        np.array(table["split"].to_pylist()) == "test",
    )
