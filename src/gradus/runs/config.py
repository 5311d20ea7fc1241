"""Every setting of a run: what ``config.toml`` holds and what the command line offers."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from gradus.core.errors import InputError

Scaling = Literal["auto", "none", "standard"]
Model = Literal["auto", "softmax", "convnet", "both"]
Metric = Literal["euclidean", "cosine", "correlation", "manhattan"]


@dataclass(frozen=True)
class DataConfig:
    """How the data is read and split.

    Attributes
    ----------
    label
        Column of a table that holds the labels.
    labels
        File with one label a row, beside a .npy.
    ids
        Column of a table whose values name the rows.
    size
        HxW, every image is resized to it.
    skip_bad
        Leave out image files that cannot be read, and say so.
    sample
        Use this many rows, drawn by class with the seed.
    test
        A second source of the same kind, held out as the test split.
    test_fraction
        Share of the rows held out where the source has no test split.
    """

    label: str | None = None
    labels: str | None = None
    ids: str | None = None
    size: str | None = None
    skip_bad: bool = False
    sample: int | None = None
    test: str | None = None
    test_fraction: float = 0.2


@dataclass(frozen=True)
class FitConfig:
    """How the classifier is fitted.

    Attributes
    ----------
    model
        "softmax" regression of the features, a "convnet" of images, or "both", compared; "auto" is a convnet where rows
        are images of 16 pixels a side or more.
    epochs
        Passes of a convnet over the training images; 8, or more of few images, by default.
    flip
        Mirror images at random while a convnet learns: right for photographs, wrong for digits and text.
    alpha
        Regularisation strength; "auto" chooses it on validation rows taken from the training rows.
    alphas
        How many strengths "auto" tries, over six decades; or the values of C that "dinov2" or "clip" publishes.
    l1_ratio
        0 is ridge, 1 is lasso, between is elastic net.
    scale
        "standard" centres every feature and divides it by its deviation; "auto" does so for tables of named columns.
    class_weight
        "balanced" weighs every class alike.
    tol
        Stop at this relative duality gap.
    max_iter
        Stop after this many iterations, and say so.
    validation_fraction
        Share of the training rows on which "auto" chooses alpha.
    """

    model: Model = "auto"
    epochs: int | None = None
    flip: bool = False
    alpha: float | Literal["auto"] = "auto"
    alphas: int | Literal["dinov2", "clip"] = 13
    l1_ratio: float = 0.0
    scale: Scaling = "auto"
    class_weight: Literal["balanced"] | None = None
    tol: float = 1e-4
    max_iter: int = 1000
    validation_fraction: float = 0.2


@dataclass(frozen=True)
class EvaluateConfig:
    """How the errors are stated.

    Attributes
    ----------
    level
        Confidence level of the intervals.
    largest_k
        The top-k curve goes from 1 to this k, or to one less than the number of classes.
    """

    level: float = 0.95
    largest_k: int = 10


@dataclass(frozen=True)
class MapConfig:
    """How the map is drawn.

    Attributes
    ----------
    perplexity
        Effective number of neighbours of every row; "auto" is 30, or less where there are fewer than 91 rows.
    n_neighbors
        Tie every row to this many neighbours with equal weight, in place of the perplexity: 15 is faster.
    metric
        How far rows are apart: "euclidean", "cosine", "correlation" or "manhattan".
    dof
        Degrees of freedom of the kernel: 1 is t-SNE, less shows clusters within clusters.
    components
        Principal components that the map starts from, where the data has more features; Euclidean distances only.
    map_iterations
        Gradient steps of t-SNE.
    color
        Column (or array of an .npz) that colours the map, in place of the labels.
    """

    perplexity: float | Literal["auto"] = "auto"
    n_neighbors: int | None = None
    metric: Metric = "euclidean"
    dof: float = 1.0
    components: int = 50
    map_iterations: int = 350
    color: str | None = None

    def neighbours_for(self, rows: int) -> int | None:
        """Return the neighbours that rows are tied to alike: as asked, or one where rows are too few for a perplexity.

        Raises
        ------
        InputError : if more were asked for than there are other rows
        """
        if self.n_neighbors is not None and self.n_neighbors >= rows:
            raise InputError(
                f"--n-neighbors is {self.n_neighbors}, but {rows} rows have {rows - 1} neighbours each: "
                f"give at most {rows - 1}"
            )
        return 1 if self.n_neighbors is None and self.perplexity == "auto" and rows < 4 else self.n_neighbors

    def perplexity_for(self, rows: int) -> float:
        """Return the perplexity of a map of so many rows.

        Raises
        ------
        InputError : if one was given that is too large for them
        """
        largest = max((rows - 1) / 3, 1.0)  # t-SNE looks at three times as many neighbours
        if self.perplexity == "auto":
            return min(30.0, largest)
        if self.perplexity > largest:
            raise InputError(
                f"--perplexity is {self.perplexity:g}, but {rows} rows allow at most {math.floor(10 * largest) / 10:g} "
                "(three times as many neighbours are needed): give a smaller --perplexity"
            )
        return self.perplexity


@dataclass(frozen=True)
class RunConfig:
    """One run: ``source`` is DATA as it was typed, made absolute where it is a path."""

    source: str
    seed: int = 0
    data: DataConfig = field(default_factory=DataConfig)
    fit: FitConfig = field(default_factory=FitConfig)
    evaluate: EvaluateConfig = field(default_factory=EvaluateConfig)
    map: MapConfig = field(default_factory=MapConfig)

    def __post_init__(self) -> None:
        _check(self)


def _check(config: RunConfig) -> None:
    """Refuse settings outside their ranges, naming the option."""
    data, fit, evaluate, drawing = config.data, config.fit, config.evaluate, config.map
    ranges: tuple[tuple[str, object, bool, str], ...] = (
        ("--seed", config.seed, 0 <= config.seed < 2**32, "a whole number from 0 to 4294967295"),
        ("--sample", data.sample, data.sample is None or data.sample > 0, "a positive number of rows"),
        ("--test-fraction", data.test_fraction, 0 < data.test_fraction < 1, "a fraction above 0 and below 1"),
        ("--size", data.size, data.size is None or _size_is_valid(data.size), "HEIGHTxWIDTH in pixels, such as 32x32"),
        ("--model", fit.model, fit.model in get_args(Model), ", ".join(get_args(Model))),
        ("--epochs", fit.epochs, fit.epochs is None or fit.epochs > 0, "a positive number of passes"),
        ("--alpha", fit.alpha, fit.alpha == "auto" or 0 <= fit.alpha < float("inf"), '"auto" or a number not below 0'),
        ("--alphas", fit.alphas, _is_count_or_preset(fit.alphas), 'a number of strengths above 1, "dinov2" or "clip"'),
        ("--l1-ratio", fit.l1_ratio, 0 <= fit.l1_ratio <= 1, "a number from 0 to 1"),
        ("--scale", fit.scale, fit.scale in ("auto", "none", "standard"), '"auto", "none" or "standard"'),
        ("--class-weight", fit.class_weight, fit.class_weight in (None, "balanced"), '"balanced"'),
        ("--tol", fit.tol, 0 < fit.tol < 1, "a relative duality gap above 0 and below 1"),
        ("--max-iter", fit.max_iter, fit.max_iter > 0, "a positive number of iterations"),
        (
            "--validation-fraction",
            fit.validation_fraction,
            0 < fit.validation_fraction < 1,
            "a fraction above 0 and below 1",
        ),
        ("--level", evaluate.level, 0 < evaluate.level < 1, "a confidence level above 0 and below 1, such as 0.95"),
        ("--largest-k", evaluate.largest_k, evaluate.largest_k > 0, "a positive number of classes"),
        ("--perplexity", drawing.perplexity, _is_perplexity(drawing.perplexity), '"auto" or a number above 1'),
        (
            "--n-neighbors",
            drawing.n_neighbors,
            drawing.n_neighbors is None or drawing.n_neighbors > 0,
            "a positive number of neighbours",
        ),
        ("--metric", drawing.metric, drawing.metric in get_args(Metric), ", ".join(get_args(Metric))),
        ("--dof", drawing.dof, 0 < drawing.dof < float("inf"), "a positive number"),
        ("--components", drawing.components, drawing.components > 0, "a positive number of components"),
        ("--map-iterations", drawing.map_iterations, drawing.map_iterations > 0, "a positive number of iterations"),
    )
    for option, given, valid, expected in ranges:
        if not valid:
            raise InputError(f"{option} is {given}: give {expected}")


def _is_count_or_preset(given: int | str) -> bool:
    return given in ("dinov2", "clip") or (isinstance(given, int) and given > 1)


def _is_perplexity(given: float | str) -> bool:
    return given == "auto" or (isinstance(given, int | float) and 1 < given < float("inf"))


def _size_is_valid(size: str) -> bool:
    height, cross, width = size.partition("x")
    return cross == "x" and height.isdecimal() and width.isdecimal() and int(height) > 0 and int(width) > 0


def parse_size(size: str | None) -> tuple[int, int] | None:
    """Return (height, width) of a checked ``HxW``, or None.

    Examples
    --------
    >>> parse_size("28x32")
    (28, 32)
    """
    if size is None:
        return None
    height, _, width = size.partition("x")
    return int(height), int(width)


def settings(config: RunConfig) -> dict[str, Any]:
    """Return every setting by its dotted name, such as ``fit.alpha``."""
    return _flat(asdict(config))


def differences(old: RunConfig, new: RunConfig) -> list[str]:
    """Return a line for every setting that differs: ``fit.alpha 0.1 -> 0.2``."""
    before, after = settings(old), settings(new)
    return [f"{name} {before[name]} -> {after[name]}" for name in before if before[name] != after[name]]


def _flat(section: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in section.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat
