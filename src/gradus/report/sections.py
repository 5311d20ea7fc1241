"""The sections of the page: what each template is given."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradus.report.comparison_section import comparison_section
from gradus.report.confusion_section import confusion_section
from gradus.report.curves import top_k_section
from gradus.report.formatting import plain
from gradus.report.map_section import map_section
from gradus.report.network_section import network_section
from gradus.report.outcomes import worst_errors
from gradus.report.path_section import path_section
from gradus.report.pictures import signed_picture, thumbnail

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gradus.report.content import ReportContent

_WORST = 24
_WEIGHT_PICTURES = 60


def page_sections(content: ReportContent) -> dict[str, Any]:
    """Return what the page's template needs, by name; a section that has nothing to show is None."""
    dataset = content.dataset
    metrics = None if content.metrics is None else without_nan(content.metrics)
    return {
        "title": plain(dataset.name) or "Untitled",
        "rows": len(dataset),
        "classes": dataset.class_names if dataset.labels is not None else (),
        "notes": dataset.notes,
        "metrics": metrics,
        "errors": None if metrics is None else errors_section(metrics),
        "map": map_section(content),
        "confusion": confusion_section(content),
        "worst": worst_section(content),
        "per_class": None if metrics is None else per_class_section(metrics),
        "weights": weights_section(content),
        "network": None if content.network is None else network_section(content.network),
        "comparison": None if metrics is None else comparison_section(metrics),
        "path": None if metrics is None else path_section(metrics),
        "provenance": ({} if metrics is None else fit_facts(metrics)) | dict(content.provenance),
    }


def without_nan(value: Any) -> Any:
    """Return nested mappings and lists with every NaN, which JSON does not have, as None.

    Examples
    --------
    >>> without_nan({"error": float("nan"), "rows": [1, 2.0]})
    {'error': None, 'rows': [1, 2.0]}
    """
    if isinstance(value, dict):
        return {name: without_nan(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(each) for each in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def per_class_section(metrics: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the figures of each class, the end of the longest bar, and the k of the second error column."""
    figures = metrics.get("per_class")
    if not figures:
        return None
    several = figures[0].get("top_k")
    return {
        "figures": figures,
        "highest": max((figure["high"] for figure in figures if figure.get("high") is not None), default=1.0) or 1.0,
        "k": several["k"] if several and several["k"] < len(figures) else None,
    }


def fit_facts(metrics: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return how the fit ended, as a table of the last section."""
    fit = metrics.get("fit") or {}
    names = (
        *("model", "alpha", "l1_ratio", "status", "iterations", "relative_gap"),
        *("epochs", "parameters", "flip"),
    )
    facts = {name.replace("_", " "): fit[name] for name in names if fit.get(name) is not None}
    return {"Fit": {name: _number(value) for name, value in facts.items()}} if facts else {}


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def errors_section(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return the headline: the top-1 error, the error among the best few, the baseline, and the curve over k."""
    figures = {figure["k"]: figure for figure in metrics["top_k"]}
    classes = len(metrics["classes"])
    # Among as many as there are classes the error is zero for any classifier.
    several = [k for k in figures if 1 < k <= 5 and k < classes]
    return {
        "first": figures[1],
        "several": figures[max(several)] if several else None,
        "test_rows": metrics["rows"]["test"],
        "level": metrics["interval"]["level"],
        "method": metrics["interval"]["method"],
        "baseline": metrics.get("baseline"),
        "ties": metrics.get("ties"),
        "cross_entropy": metrics.get("cross_entropy"),
        "chart": top_k_section(metrics),
        "figures": metrics["top_k"],
    }


@dataclass(frozen=True)
class Row:
    """One row as the page shows it: its names and, where it is an image, its thumbnail as a data URI."""

    row_id: str
    label: str
    predicted: str
    probability: float
    picture: str | None


def described_row(content: ReportContent, position: int) -> Row:
    """Return the row at ``position`` of a dataset with labels and predictions."""
    dataset, predictions = content.dataset, content.predictions
    assert dataset.labels is not None and predictions is not None
    return Row(
        str(dataset.row_ids[position]),
        dataset.class_names[dataset.labels[position]],
        dataset.class_names[predictions.predicted[position]],
        float(predictions.probability[position]),
        None if dataset.images is None else thumbnail(dataset.images[position]),
    )


def worst_section(content: ReportContent) -> dict[str, Any] | None:
    """Return the test rows given a wrong class with the highest probability."""
    if content.predictions is None or content.dataset.labels is None:
        return None
    wrong = worst_errors(content.dataset.labels, content.predictions, len(content.dataset))
    return {
        "rows": [described_row(content, int(position)) for position in wrong[:_WORST]],
        "wrong": len(wrong),
        "tested": int(content.predictions.is_test.sum()),
        "pixelated": is_small(content),
    }


def is_small(content: ReportContent) -> bool:
    """Return whether images have so few pixels that they are best shown as squares, not blurred."""
    images = content.dataset.images
    return images is not None and max(images.shape[1:3]) <= 40


def weights_section(content: ReportContent) -> dict[str, Any] | None:
    """Return the weights of each class as pictures, where the features are the pixels of images."""
    images, weights = content.dataset.images, content.weights
    if images is None or weights is None or weights.shape[1] != int(np.prod(images.shape[1:])):
        return None
    # Beyond this many classes the first stand for all; the page says so.
    shown = min(len(weights), _WEIGHT_PICTURES)
    # One scale for all classes, so that they can be compared; the very largest weights may saturate.
    most = float(np.quantile(np.abs(weights[:shown]), 0.999)) or float(np.abs(weights[:shown]).max())
    pictures = weights[:shown].reshape(shown, *images.shape[1:])
    return {
        "classes": [
            {"name": content.dataset.class_names[code], "picture": signed_picture(pictures[code], most)}
            for code in range(shown)
        ],
        "total": len(weights),
        "colour": images.shape[3] == 3,
        "most": most,
    }
