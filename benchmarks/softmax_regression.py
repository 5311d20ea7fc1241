"""Softmax regression: gradus beside its peers at the same objective, on MNIST and CIFAR-10, or on the digits.

``python -m benchmarks softmax_regression:MNIST`` or ``"softmax_regression:CIFAR-10, L1"`` runs the problems whose names
begin like that, each of them ours and its peers in one run.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearnex.linear_model import LogisticRegression as IntelLogisticRegression

from benchmarks.capped import published
from benchmarks.data import Pixels, cifar, mnist_or_digits
from benchmarks.independent import Checked, Penalty, checked
from benchmarks.measure import Findings, Table, Target, median
from gradus.estimators import SoftmaxRegression
from gradus.penalties import GroupLasso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

GAP = 1e-4
REPEATS = 3
# of fits that take this long one is enough
LONG = 8.0
# iterations of a fit that only compiles
WARM = 6
# a peer is ended where it has taken so many times what was promised, but gets so many seconds at least
ENOUGH, LEAST = 1.2, 20.0
# that of the group lasso keeps about half of the features
RIDGE, LASSO, GROUP = 1e-4, 1e-3, 2e-3
# the minimum under squares on MNIST is 0.2592483
OBJECTIVE = 0.259251
COLUMNS = ("problem", "fit", "seconds", "times ours", "passes", "iterations", "objective", "gap", "gets there")


class Fit(NamedTuple):
    """What one fit took and reached; nothing if it was ended."""

    seconds: float
    iterations: int
    reached: Checked | None


@dataclass(frozen=True)
class Contest:
    """One problem, who solves it, and what counts as solved.

    Attributes
    ----------
    title : of the problem
    penalty : on the weights
    ours : makes the estimator of gradus
    peers : makes each peer's
    solved : whether a fit got there
    wanted : how many times faster than the best peer that gets there, or 0 where nothing was promised
    """

    title: str
    penalty: Penalty
    ours: Callable[[], Any]
    peers: Mapping[str, Callable[[], Any]]
    solved: Callable[[Checked], bool]
    wanted: float


def run(part: str = "") -> Findings:
    """Time whole fits, and evaluate every one by the same float64 code; of ``part``, the problems named like that."""
    pixels = mnist_or_digits()
    more = None if part and pixels.name.startswith(part.split(",")[0]) else cifar()
    rows, targets, data = [], [], []
    for place in [pixels] if more is None else [pixels, more]:
        chosen = [contest for contest in contests(place) if f"{place.name}, {contest.title}".startswith(part)]
        if not chosen:
            continue
        data.append(place)
        warm_up(place, chosen)
        floor = one_read(place)
        for contest in chosen:
            found = held(contest, place)
            rows += rows_of(contest, place, found, floor)
            targets += targets_of(contest, place, found)
    if not data:
        raise SystemExit(f"no problem's name begins with {part!r}; such are MNIST, 'MNIST, L1' and CIFAR-10")
    return Findings(
        title="Softmax regression",
        conditions=[
            *(f"{d.name}: {d.X.shape[0]:,} x {d.X.shape[1]:,} float32, {len(np.unique(d.y))} classes." for d in data),
            f"Mean loss plus penalty, unpenalised intercept. Whole fits; of gradus the median of {REPEATS}, warm, or "
            f"one if longer than {LONG:g} s; of a peer one, in a process of its own, ended where it has taken "
            f"{ENOUGH:g} times what was promised (at least {LEAST:g} s): it counts then with the seconds it was given.",
            "Objective and relative duality gap of the published coefficients, by NumPy in float64 "
            "(benchmarks/independent.py).",
            "passes: seconds over the time of reading X once (a sum over it), the floor of anything that looks at X.",
            f"{torch.get_num_threads()} threads.",
        ],
        tables=[Table("Whole fits", COLUMNS, rows)],
        targets=targets,
        packages=("numpy", "numba", "torch", "scikit-learn", "scikit-learn-intelex", "cyanure"),
    )


def contests(place: Pixels) -> list[Contest]:
    """Return the problems on one data set."""
    return [ridge(place), lasso(place), elastic_net(), group_lasso()]


def small_gap(reached: Checked) -> bool:
    """Tell whether the relative gap is at most what was asked for."""
    return reached.gap <= GAP


def ridge(place: Pixels) -> Contest:
    """Return the contest under squares; scikit-learn's solvers at the tolerance that gets there."""

    def solved(reached: Checked) -> bool:
        return reached.objective <= OBJECTIVE if place.name == "MNIST" else small_gap(reached)

    def peer(solver: str, kind: Callable[..., Any] = LogisticRegression) -> Callable[[], Any]:
        return lambda: kind(C=1 / (RIDGE * len(place.y)), solver=solver, tol=1e-6, max_iter=1000)

    peers = {
        "scikit-learn lbfgs, tol 1e-6": peer("lbfgs"),
        "scikit-learn newton-cg, tol 1e-6": peer("newton-cg"),
        "scikit-learn-intelex lbfgs, tol 1e-6": peer("lbfgs", IntelLogisticRegression),
    }
    return Contest(f"L2, alpha {RIDGE:g}", Penalty(ridge=RIDGE), lambda: SoftmaxRegression(RIDGE), peers, solved, 5.0)


def lasso(place: Pixels) -> Contest:
    """Return the contest under absolute values."""

    def saga() -> Any:
        return LogisticRegression(C=1 / (LASSO * len(place.y)), l1_ratio=1.0, solver="saga", tol=1e-9, max_iter=100)

    peers = {
        "cyanure": cyanure("l1", LASSO),
        "cyanure, tol 2e-5": cyanure("l1", LASSO, tol=2e-5),
        "scikit-learn saga, 100 iterations": saga,
    }
    ours = SoftmaxRegression(LASSO, l1_ratio=1.0)
    return Contest(f"L1, alpha {LASSO:g}", Penalty(absolute=LASSO), lambda: clone(ours), peers, small_gap, 15.0)


def elastic_net() -> Contest:
    """Return the contest under both, in equal shares."""
    half = LASSO / 2
    ours = SoftmaxRegression(LASSO, l1_ratio=0.5)
    peers = {"cyanure": cyanure("elasticnet", half, half)}
    title = f"elastic net, alpha {LASSO:g}, l1_ratio 0.5"
    return Contest(title, Penalty(absolute=half, ridge=half), lambda: clone(ours), peers, small_gap, 5.0)


def group_lasso() -> Contest:
    """Return the contest under the norms of the features' rows."""
    ours = SoftmaxRegression(penalty=GroupLasso(GROUP))
    peers = {"cyanure": cyanure("l1l2", GROUP)}
    title = f"group lasso over features, strength {GROUP:g}"
    return Contest(title, Penalty(rows=GROUP), lambda: clone(ours), peers, small_gap, 5.0)


def cyanure(penalty: str, *strengths: float, tol: float = GAP) -> Callable[[], Any]:
    """Return the maker of cyanure's multinomial classifier."""
    from cyanure.estimators import Classifier

    named = dict(zip(("lambda_1", "lambda_2"), strengths, strict=False))
    return lambda: Classifier(
        loss="multiclass-logistic",
        penalty=penalty,
        multi_class="multinomial",
        max_iter=1000,
        tol=tol,
        duality_gap_interval=5,
        n_threads=torch.get_num_threads(),
        verbose=False,
        **named,
    )


def held(contest: Contest, place: Pixels) -> dict[str, list[Fit]]:
    """Return every contender's fits."""
    ours = [fitted(contest.ours(), place, contest.penalty)]
    while len(ours) < REPEATS and ours[0].seconds < LONG:
        ours.append(fitted(contest.ours(), place, contest.penalty))
    cap = max(LEAST, ENOUGH * contest.wanted * median([fit.seconds for fit in ours]))
    peers = {name: [ended(contest, place, name, cap)] for name in contest.peers}
    return {"gradus": ours, **peers}


def fitted(model: Any, place: Pixels, penalty: Penalty) -> Fit:
    """Fit gradus once, then measure what was reached."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        begun = time.perf_counter()
        model.fit(place.X, place.y)
        seconds = time.perf_counter() - begun
    return Fit(seconds, model.n_iter_, checked(place.X, place.y, penalty, model.coef_.T, model.intercept_))


def ended(contest: Contest, place: Pixels, peer: str, cap: float) -> Fit:
    """Fit a peer once, in at most ``cap`` seconds, then measure what was reached."""
    found = published(place, contest.title, peer, cap)
    if found.W is None or found.b is None:
        return Fit(found.seconds, 0, None)
    return Fit(found.seconds, found.iterations, checked(place.X, place.y, contest.penalty, found.W, found.b))


def rows_of(contest: Contest, place: Pixels, found: Mapping[str, list[Fit]], floor: float) -> list[list[Any]]:
    """Return the contest's rows of the table."""
    ours = median([fit.seconds for fit in found["gradus"]])
    rows: list[list[Any]] = []
    for name, fits in found.items():
        seconds, reached = median([fit.seconds for fit in fits]), fits[-1].reached
        passes, iterations = round(seconds / floor), fits[-1].iterations
        problem, figures = f"{place.name}, {contest.title}", ("", "", f"not in {seconds:.0f} s")
        if reached is not None:
            there = "yes" if contest.solved(reached) else "no"
            figures = (f"{reached.objective:.7f}", f"{reached.gap:.1e}", there)
        rows.append([problem, name, seconds, seconds / ours, passes, iterations or "", *figures])
    return rows


def targets_of(contest: Contest, place: Pixels, found: Mapping[str, list[Fit]]) -> list[Target]:
    """Return what was promised of this contest; a peer that was ended was slower than the seconds it was given."""
    title, ours = f"{place.name}, {contest.title}", found["gradus"]
    there = all(fit.reached is not None and contest.solved(fit.reached) for fit in ours)
    others = [fits[-1] for name, fits in found.items() if name != "gradus"]
    counted = [fit for fit in others if fit.reached is None or contest.solved(fit.reached)]
    if not counted:
        return [Target(f"{title}: gets there, and no peer does", max(_gap(fit) for fit in ours), there)]
    fastest = min(counted, key=lambda fit: fit.seconds)
    ratio = fastest.seconds / median([fit.seconds for fit in ours])
    how = "the best peer, ended before it got there" if fastest.reached is None else "the best peer that gets there"
    promise = f"{title}: {contest.wanted:g} times faster than {how}"
    return [Target(promise, ratio, there and ratio >= contest.wanted)]


def _gap(fit: Fit) -> float:
    return float("nan") if fit.reached is None else fit.reached.gap


def one_read(place: Pixels) -> float:
    """Return the seconds of reading X once."""
    X, seconds = torch.from_numpy(place.X), []
    for _ in range(9):
        begun = time.perf_counter()
        X.sum()
        seconds.append(time.perf_counter() - begun)
    return median(seconds)


def warm_up(place: Pixels, chosen: list[Contest]) -> None:
    """Compile what the contests call, which with fewer rows than features would be another solver."""
    step = max(len(place.X) // max(600, 2 * place.X.shape[1]), 1)
    few = Pixels(place.name, place.X[::step], place.y[::step])
    for contest in chosen:
        fitted(contest.ours().set_params(max_iter=WARM), few, contest.penalty)
