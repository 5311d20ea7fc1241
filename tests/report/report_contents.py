"""Contents to make reports of: real data with another library's classifier, and names that attack the page."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import log_softmax
from scipy.stats import binomtest, rankdata
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from gradus.data import Dataset
from gradus.report import Map, Predictions, ReportContent

MNIST = Path(__file__).resolve().parents[3] / "shared" / "data" / "mnist.npz"

HOSTILE = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=2>",
    "</script><script>window.pwned=3</script>",
    '=HYPERLINK("https://example.org","x")',
    "$\\frac{1}{0}$ and $",
    "\u202eright to left\u202c\u2028newline\nand\ttab\x00\x07",
    "{{ 7 * 7 }} {% raw %}",
    "'\"><svg onload=window.pwned=4>",
    "x" * 1000,
    "漢字 🎉 \udc80",
)


def interval(wrong: int, rows: int) -> dict[str, float | None]:
    if rows == 0:
        return {"error": None, "low": None, "high": None}
    bounds = binomtest(wrong, rows).proportion_ci(method="wilson")
    return {"error": wrong / rows, "low": float(bounds.low), "high": float(bounds.high)}


def metrics_of(dataset: Dataset, predictions: Predictions) -> dict[str, Any]:
    """Return what metrics.json would hold, counted by SciPy."""
    assert dataset.labels is not None
    test = predictions.is_test
    labels, given = dataset.labels[test], predictions.predicted[test]
    rank = (predictions.greater + predictions.equal)[test]
    names = dataset.class_names
    most = int(np.bincount(dataset.labels[~test]).argmax())
    per_class = [
        {"class": name, "rows": int((labels == code).sum()), "predicted": int((given == code).sum())}
        | interval(int((rank[labels == code] >= 1).sum()), int((labels == code).sum()))
        | {"top_k": {"k": 5} | interval(int((rank[labels == code] >= 5).sum()), int((labels == code).sum()))}
        for code, name in enumerate(names)
    ]
    path = [
        {
            "alpha": 10.0**power,
            "error": 0.03 + 0.004 * (power + 3) ** 2,
            "cross_entropy": 0.1 + 0.05 * (power + 3) ** 2,
            "relative_gap": 1e-4,
        }
        for power in range(-6, 0)
    ]
    return {
        "rows": {"train": int((~test).sum()), "validation": 0, "test": int(test.sum())},
        "classes": list(names),
        "interval": {"method": "wilson", "level": 0.95},
        "top_k": [{"k": k} | interval(int((rank >= k).sum()), len(rank)) for k in range(1, min(10, len(names)) + 1)],
        "ties": 0.0,
        "cross_entropy": 0.123,
        "baseline": {"class": names[most], "error": float((labels != most).mean())},
        "per_class": per_class,
        "fit": {
            "alpha": 1e-3,
            "l1_ratio": 0.0,
            "relative_gap": 1e-4,
            "iterations": 57,
            "status": "CONVERGED",
            "path": path,
        },
    }


def predict(features: np.ndarray, labels: np.ndarray, is_test: np.ndarray) -> tuple[Predictions, np.ndarray]:
    """Return what scikit-learn's classifier says of every row, and its weights."""
    model = LogisticRegression(C=0.05, max_iter=60, tol=1e-2).fit(features[~is_test], labels[~is_test])
    scores = log_softmax(model.decision_function(features), axis=1)
    own = scores[np.arange(len(labels)), labels][:, None]
    predictions = Predictions(
        scores.argmax(1),
        np.exp(scores.max(1)).astype(np.float32),
        (scores > own).sum(1).astype(np.int32),
        ((scores == own).sum(1) - 1).astype(np.int32),
        is_test,
    )
    return predictions, model.coef_


PROVENANCE = {
    "Configuration": {"data": "digits", "alpha": "auto", "l1_ratio": "0.0", "seed": "0"},
    "Versions": {"gradus": "0.1.0", "python": "3.11", "torch": "2.13.0"},
    "Seconds": {"fit": "1.2", "map": "3.4"},
}


@cache
def digits() -> ReportContent:
    """1,797 handwritten digits of 8 x 8 pixels, ten classes."""
    bunch = load_digits()
    features = (bunch.data / 16).astype(np.float32)
    labels = bunch.target.astype(np.int64)
    is_test = np.random.default_rng(0).random(len(labels)) < 0.3
    predictions, weights = predict(features, labels, is_test)
    images = np.minimum(bunch.images * 16, 255).astype(np.uint8)[..., None]
    dataset = Dataset(
        "digits", features, labels, tuple("0123456789"), np.array([f"digit-{row:04d}" for row in range(len(labels))]),
        images=images, notes=("30 % of the rows were drawn for testing, class by class.",),
    )  # fmt: skip
    positions = LinearDiscriminantAnalysis(n_components=2).fit_transform(features, labels).astype(np.float32)
    settings = {"method": "linear discriminants", "rows": "1,797"}
    return ReportContent(
        dataset, metrics_of(dataset, predictions), predictions, Map(positions, settings), weights, PROVENANCE
    )


@cache
def mnist() -> ReportContent:
    """All 70,000 rows of MNIST, with a map of two principal components of the ranks (quick, not pretty)."""
    with np.load(MNIST) as stored:
        images = np.concatenate([stored["x_train"], stored["x_test"]])
        labels = np.concatenate([stored["y_train"], stored["y_test"]]).astype(np.int64)
    features = (images.reshape(len(images), -1) / 255).astype(np.float32)
    is_test = np.arange(len(labels)) >= 60000
    small = PCA(40, random_state=0).fit(features[::14]).transform(features)
    discriminants = LinearDiscriminantAnalysis().fit(small[::4], labels[::4])
    scores = discriminants.decision_function(small)
    own = scores[np.arange(len(labels)), labels][:, None]
    predictions = Predictions(
        scores.argmax(1), np.full(len(labels), 0.9, np.float32) + scores.max(1).astype(np.float32) * 1e-4,
        (scores > own).sum(1).astype(np.int32), np.zeros(len(labels), np.int32), is_test,
    )  # fmt: skip
    places = discriminants.transform(small)[:, :2]
    # Ranks spread the points over the whole map, so that as many are painted as a t-SNE map would.
    positions = np.stack([rankdata(places[:, 0]), rankdata(places[:, 1])], 1).astype(np.float32)
    dataset = Dataset(
        "MNIST", features, labels, tuple("0123456789"), np.arange(len(labels)).astype(str), is_test, images[..., None]
    )
    return ReportContent(dataset, metrics_of(dataset, predictions), predictions, Map(positions), None, PROVENANCE)


@cache
def colours(rows: int = 600) -> ReportContent:
    """Colour images of 32 x 32 pixels that a sine drew, three classes by their main colour."""
    generator = np.random.default_rng(2)
    labels = generator.integers(0, 3, rows)
    phase = generator.uniform(0, 6, (rows, 1, 1, 3))
    across, down = np.meshgrid(np.arange(32) / 5, np.arange(32) / 7)
    waves = 60 * np.sin(across[None, :, :, None] + phase) * np.cos(down[None, :, :, None] - phase)
    images = np.clip(100 + 80 * np.eye(3)[labels][:, None, None] + waves, 0, 255).astype(np.uint8)
    features = (images.reshape(rows, -1) / 255).astype(np.float32)
    is_test = np.arange(rows) % 4 == 0
    predictions, weights = predict(features, labels, is_test)
    dataset = Dataset(
        "colours", features, labels, ("red", "green", "blue"), np.array([f"{row}.png" for row in range(rows)]),
        images=images,
    )  # fmt: skip
    positions = PCA(2, random_state=0).fit_transform(features).astype(np.float32)
    return ReportContent(dataset, metrics_of(dataset, predictions), predictions, Map(positions), weights, PROVENANCE)


@cache
def hostile() -> ReportContent:
    """The digits, with every name, id, note and setting an attack."""
    whole = digits()
    ids = np.array([f"{HOSTILE[row % len(HOSTILE)][:120]}{row}" for row in range(len(whole.dataset))])
    dataset = replace(whole.dataset, name=HOSTILE[0] + HOSTILE[5], class_names=HOSTILE, row_ids=ids, notes=HOSTILE)
    assert whole.predictions is not None and whole.map is not None
    values = {name: name for name in HOSTILE}
    return ReportContent(
        dataset, metrics_of(dataset, whole.predictions), whole.predictions, Map(whole.map.positions, values),
        whole.weights, dict.fromkeys(HOSTILE, values),
    )  # fmt: skip


def many_classes(classes: int) -> ReportContent:
    """Random vectors of as many classes as wanted, six rows each, no images."""
    generator = np.random.default_rng(1)
    labels = np.repeat(np.arange(classes), 6)
    centres = generator.normal(size=(classes, 8)).astype(np.float32)
    features = centres[labels] + 0.4 * generator.normal(size=(len(labels), 8)).astype(np.float32)
    scores = -((features[:, None, :] - centres[None]) ** 2).sum(2)
    own = scores[np.arange(len(labels)), labels][:, None]
    predictions = Predictions(
        scores.argmax(1), generator.uniform(0.3, 1.0, len(labels)).astype(np.float32),
        (scores > own).sum(1).astype(np.int32), np.zeros(len(labels), np.int32), np.arange(len(labels)) % 3 == 0,
    )  # fmt: skip
    names = tuple(f"class number {code}" for code in range(classes))
    dataset = Dataset("vectors", features, labels, names, np.array([f"row-{row}" for row in range(len(labels))]))
    return ReportContent(dataset, metrics_of(dataset, predictions), predictions, Map(features[:, :2]), None, PROVENANCE)
