"""The report step: what the other steps left, on one page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradus.core.errors import InputError
from gradus.networks import ImageNetwork
from gradus.report import Network, ReportContent, write_report
from gradus.runs import environment
from gradus.runs.config import settings
from gradus.runs.directory import MAP, METRICS, PREDICTIONS, REPORT
from gradus.runs.evaluating import load_predictions
from gradus.runs.mapping import load_map
from gradus.runs.model import LinearClassifier
from gradus.runs.network import NetworkClassifier

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from gradus.runs.run import Run

# settings of the fit that a kind of classifier does not heed
_UNHEEDED: dict[str, tuple[str, ...]] = {
    "softmax": ("epochs", "flip"),
    "convnet": ("alpha", "alphas", "l1_ratio", "scale", "tol", "max_iter", "validation_fraction"),
    "both": (),
}


def report(run: Run) -> None:
    """Write ``report.html`` from whatever the other steps left in the directory.

    Raises
    ------
    InputError : if they left nothing to show
    """
    directory, dataset = run.directory, run.dataset
    evaluated, mapped = directory.has("evaluate"), directory.has("map")
    if not evaluated and not mapped:
        raise InputError(
            f"{directory.path} has neither {METRICS} nor {MAP}, so there is nothing to report: "
            "run `gradus evaluate` or `gradus map` there first"
        )
    content = ReportContent(
        dataset=dataset,
        metrics=_metrics(run) if evaluated else None,
        predictions=load_predictions(directory / PREDICTIONS, dataset.class_names) if evaluated else None,
        map=load_map(directory / MAP) if mapped else None,
        weights=_weights(run) if evaluated else None,
        network=_network(run) if evaluated else None,
        provenance=provenance(run),
    )
    write_report(content, directory / REPORT)


def _weights(run: Run) -> NDArray[np.floating] | None:
    """Return the coefficients of the linear classifier of a run; None where there is none."""
    linear = run.model if isinstance(run.model, LinearClassifier) else run.baseline
    return linear.coef if isinstance(linear, LinearClassifier) else None


def _network(run: Run) -> Network | None:
    """Return what the report shows of the network of a run; None where the classifier is another."""
    if not isinstance(run.model, NetworkClassifier):
        return None
    network = run.model.estimator.network_
    assert isinstance(network, ImageNetwork)
    return Network(network.first_filters().permute(0, 2, 3, 1).numpy(), run.model.record.losses)


def _metrics(run: Run) -> dict[str, Any]:
    """Return ``metrics.json``, with the seconds of each fit of the path, which it does not hold, as far as known."""
    metrics: dict[str, Any] = json.loads((run.directory / METRICS).read_text(encoding="utf-8"))
    path = metrics["fit"]["path"]
    seconds = environment.read(run.directory).get("steps", {}).get("fit", {}).get("path_seconds", ())
    if len(seconds) == len(path):
        metrics["fit"]["path"] = [step | {"seconds": each} for step, each in zip(path, seconds, strict=True)]
    return metrics


def provenance(run: Run) -> dict[str, dict[str, str]]:
    """Return how the run was made: what was set, by which versions, where, and how long each step took."""
    facts = environment.read(run.directory)
    machine = {name: str(facts[name]) for name in ("system", "cores", "threads", "device") if name in facts}
    return {
        "Settings": _settings(run),
        "Data": {"fingerprint": str(facts.get("data", ""))[:16], "rows": f"{len(run.dataset):,}"},
        "Seconds": {step: f"{taken['seconds']:.1f}" for step, taken in facts.get("steps", {}).items()},
        "Machine": machine,
        "Versions": dict(facts.get("versions", {})),
    }


def _settings(run: Run) -> dict[str, str]:
    """Return what was set, without what only the kind of classifier would heed that this run does not have."""
    unheeded = [f"fit.{name}" for name in _UNHEEDED[run.kind]]
    given = {name: value for name, value in settings(run.config).items() if value is not None and name not in unheeded}
    return {name: _shown(name, value) for name, value in given.items()}


def _shown(name: str, value: object) -> str:
    """Return a setting as the report shows it: of a path its last part, since a report is handed to other people."""
    return Path(str(value)).name if name in ("source", "data.labels", "data.test") else str(value)
