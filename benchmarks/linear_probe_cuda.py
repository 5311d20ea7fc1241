"""Linear probes on a GPU: fits of ImageNet's size with their certificates, beside torch's own L-BFGS."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from benchmarks.measure import Findings, NotHereError, Table, Target, median
from gradus import SoftmaxRegression
from gradus.estimators.regularisation_path import PathPoint, regularisation_path
from gradus.estimators.softmax_problem import Settings
from gradus.estimators.strengths import preset
from gradus.losses import CrossEntropy, DenseFeatures, LinearModel

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

IMAGENET, CLASSES, FEATURES = 1_281_167, 1000, 768
# scikit-learn's C of CLIP's published probe
CLIP_C = 0.316
TOLERANCE, REPEATS = 1e-4, 3
# a fit that takes longer is repeated once
LONG = 1.0
# the peer is stopped after so many seconds
PATIENCE = 30.0
# rows that the peer, which holds all logits of a block and their gradients, is given at a time
PEER_ROWS = 131_072
COLUMNS = (
    "data and penalty",
    "what",
    "seconds",
    "times ours",
    "objective",
    "relative gap",
    "gradients or iterations",
    "GB",
)


class Data(NamedTuple):
    """Rows, labels and the number of classes, on the device."""

    X: Tensor
    y: Tensor
    classes: int


@dataclass(frozen=True)
class Probe:
    """One fit that is compared.

    Attributes
    ----------
    name : what is fitted
    make : makes the data
    settings : of ``SoftmaxRegression``
    compared : whether torch's L-BFGS can minimise it
    """

    name: str
    make: Callable[[], Data]
    settings: dict[str, Any]
    compared: bool = True


def run() -> Findings:
    """Time every probe and its peer, then paths of 45 strengths.

    Raises
    ------
    NotHereError : without a CUDA device
    """
    if not torch.cuda.is_available():
        raise NotHereError("it compares on a CUDA device, and torch finds none: run it on a machine with a GPU")
    rows, targets = [], []
    for probe in PROBES:
        data = probe.make()
        found, target = _fitted(probe, data)
        rows += found
        targets += target
        del data
        torch.cuda.empty_cache()
    path, worst = _path()
    targets.append(Target(f"45 strengths: largest relative gap at most {TOLERANCE:g}", worst, worst <= TOLERANCE))
    return Findings(
        title="Linear probes on a GPU",
        conditions=(
            f"{torch.cuda.get_device_name()}, CUDA {torch.version.cuda}; data generated there: rows of norm 10 around "
            "a common mean and a centre for each class, with a falling spectrum, 3% of the labels drawn at random. "
            f"{IMAGENET:,} rows, {FEATURES} features and {CLASSES:,} classes are the size of an ImageNet probe, and "
            f"alpha = 1 / ({CLIP_C} n) is the C that CLIP's authors publish.",
            f"gradus to a relative duality gap of {TOLERANCE:g}, with the time of the certificates; the median of "
            f"{REPEATS} fits after one, of a single one where it takes more than {LONG:g} s.",
            f"torch.optim.LBFGS (strong Wolfe, history 10, float32, blocks of {PEER_ROWS:,} rows) until its objective "
            f"is within {TOLERANCE:g} of ours, which it is told, or for {PATIENCE:.0f} s; once.",
            "Objectives are those of the published coefficients in float64, by torch alone. GB: peak of the device's "
            "memory above the data.",
        ),
        tables=(
            Table("Fits", COLUMNS, rows),
            Table("20,000 x 384, 100 classes, 45 strengths of C from 1e-6 to 1e5", ("what", "seconds"), path),
        ),
        targets=targets,
        packages=("numpy", "numba", "torch", "scikit-learn"),
    )


def embeddings(rows: int, features: int, classes: int, dtype: torch.dtype = torch.float32, norm: float = 10.0) -> Data:
    """Return rows around a common mean and a centre for each class, with a falling spectrum."""
    generator = torch.Generator("cuda").manual_seed(0)

    def drawn(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, device="cuda")

    spectrum = (1 + torch.arange(features, device="cuda")) ** -0.5
    rotation = torch.linalg.qr(drawn(features, features))[0]
    centres, mean = drawn(classes, features) * spectrum, drawn(features) * spectrum
    y = torch.randint(classes, (rows,), generator=generator, device="cuda")
    X = torch.empty(rows, features, dtype=dtype, device="cuda")
    for part in range(0, rows, PEER_ROWS):
        labels = y[part : part + PEER_ROWS]
        block = (mean + centres[labels] + 2.0 * drawn(len(labels), features) * spectrum) @ rotation
        X[part : part + PEER_ROWS] = norm * block / block.norm(dim=1, keepdim=True)
    wrong = torch.rand(rows, generator=generator, device="cuda") < 0.03
    other = torch.randint(classes, (rows,), generator=generator, device="cuda")
    return Data(X, torch.where(wrong, other, y), classes)


def objective(data: Data, W: Tensor, b: Tensor, settings: dict[str, Any]) -> float:
    """Return the mean loss plus the penalty at weights (classes, features), in float64."""
    W, b, total = W.double(), b.double(), 0.0
    for X, y in zip(data.X.split(PEER_ROWS), data.y.split(PEER_ROWS), strict=True):
        total += torch.nn.functional.cross_entropy(X.double() @ W.t() + b, y, reduction="sum").item()
    share = settings.get("l1_ratio", 0.0)
    penalty = (1 - share) / 2 * W.square().sum() + share * W.abs().sum()
    return total / len(data.y) + settings["alpha"] * penalty.item()


def timed(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what ``call`` returns, its seconds, and the gigabytes it took at most beside what was held."""
    torch.cuda.synchronize()
    torch.cuda.reset_peak_memory_stats()
    held, begun = torch.cuda.memory_allocated(), time.perf_counter()
    found = call()
    torch.cuda.synchronize()
    return found, time.perf_counter() - begun, (torch.cuda.max_memory_allocated() - held) / 1e9


def by_torch(data: Data, settings: dict[str, Any], target: float) -> tuple[Tensor, Tensor, int]:
    """Return weights, intercept and gradients of torch.optim.LBFGS once its objective is at most ``target``."""
    W = torch.zeros(data.classes, data.X.shape[1], device="cuda", requires_grad=True)
    b = torch.zeros(data.classes, device="cuda", requires_grad=True)
    peer = torch.optim.LBFGS(
        [W, b], max_iter=10, history_size=10, line_search_fn="strong_wolfe", tolerance_grad=0, tolerance_change=0
    )
    gradients, begun = 0, time.perf_counter()

    def closure() -> Tensor:
        nonlocal gradients
        gradients += 1
        peer.zero_grad()
        ridge = settings["alpha"] / 2 * W.square().sum()
        ridge.backward()
        value = ridge.detach()
        for X, y in zip(data.X.split(PEER_ROWS), data.y.split(PEER_ROWS), strict=True):
            logits = X.float() @ W.t() + b
            loss = torch.nn.functional.cross_entropy(logits, y, reduction="sum") / len(data.y)
            loss.backward()
            value = value + loss.detach()
        return value

    while float(peer.step(closure)) > target and time.perf_counter() - begun < PATIENCE:
        pass
    return W.detach(), b.detach(), gradients


def _fitted(probe: Probe, data: Data) -> tuple[list[list[Any]], list[Target]]:
    def fit() -> SoftmaxRegression:
        return SoftmaxRegression(tol=TOLERANCE, **probe.settings).fit(data.X, data.y)

    runs = [timed(fit) for _ in range(1 if timed(fit)[1] > LONG else REPEATS)]
    model, _, memory = runs[-1]
    seconds = median([run[1] for run in runs])
    own = objective(
        data, torch.from_numpy(model.coef_).cuda(), torch.from_numpy(model.intercept_).cuda(), probe.settings
    )
    row = [probe.name, "gradus", seconds, 1.0, f"{own:.7f}", model.relative_gap_, model.n_iter_, memory]
    holds = model.relative_gap_ <= TOLERANCE and abs(own - model.objective_) <= 1e-6 * own
    targets = [Target(f"{probe.name}: relative gap at most {TOLERANCE:g}", model.relative_gap_, holds)]
    if not probe.compared:
        return [row], targets
    (W, b, gradients), taken, peers = timed(lambda: by_torch(data, probe.settings, own * (1 + TOLERANCE)))
    value = objective(data, W, b, probe.settings)
    times = taken / seconds
    targets.append(Target(f"{probe.name}: faster than torch.optim.LBFGS", times, times >= 1))
    return [row, [probe.name, "torch.optim.LBFGS", taken, times, f"{value:.7f}", "-", gradients, peers]], targets


def _path() -> tuple[list[list[Any]], float]:
    X, y, classes = embeddings(20_000, 384, 100, norm=1.0)
    weights = torch.full((len(X),), 1 / len(X), device="cuda")
    model = LinearModel(CrossEntropy(y, classes), DenseFeatures(X), weights)
    settings, alphas = Settings(1.0, 0.0, 1.0, TOLERANCE, 1000, "auto"), preset("dinov2", len(X))

    def path() -> list[PathPoint]:
        return list(regularisation_path(model, settings, alphas))

    runs = [timed(path) for _ in range(1 + REPEATS)]
    worst = max(point.solution.certificate for point in runs[-1][0])
    steps = sum(point.solution.iterations for point in runs[-1][0])
    seconds = median([run[1] for run in runs[1:]])
    return [[f"gradus, one path, {steps} iterations, median of {REPEATS} after one", seconds]], worst


def _imagenet(dtype: torch.dtype) -> Data:
    return embeddings(IMAGENET, FEATURES, CLASSES, dtype)


_STRENGTH = {"alpha": 1 / (CLIP_C * IMAGENET)}
PROBES = [
    Probe("1,281,167 x 768 float32, 1,000 classes, L2", lambda: _imagenet(torch.float32), _STRENGTH),
    Probe("1,281,167 x 768 float16, 1,000 classes, L2", lambda: _imagenet(torch.float16), _STRENGTH),
    Probe("60,000 x 784, 10 classes, L2 1e-4", lambda: embeddings(60_000, 784, 10), {"alpha": 1e-4}),
    Probe(
        "60,000 x 784, 10 classes, L1 1e-3",
        lambda: embeddings(60_000, 784, 10),
        {"alpha": 1e-3, "l1_ratio": 1.0},
        False,
    ),
]
