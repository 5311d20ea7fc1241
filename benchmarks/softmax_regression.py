"""Softmax regression: gradus beside its peers at the same objective, on MNIST and CIFAR-10, or on the digits."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearnex.linear_model import LogisticRegression as IntelLogisticRegression

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
LONG = 15.0
# that of the group lasso keeps about half of the features
RIDGE, LASSO, GROUP = 1e-4, 1e-3, 2e-3
# the minimum under squares on MNIST is 0.2592483
OBJECTIVE = 0.259251
COLUMNS = ("problem", "fit", "seconds", "times ours", "passes", "iterations", "objective", "gap", "gets there")


class Fit(NamedTuple):
    """What one fit took and reached."""

    seconds: float
    iterations: int
    reached: Checked


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


def run() -> Findings:
    """Time whole fits in turns, and evaluate every one by the same float64 code."""
    pixels = mnist_or_digits()
    more = cifar()
    data = [pixels] if more is None else [pixels, more]
    rows, targets = [], []
    warm_up(pixels)
    for place in data:
        floor = one_read(place)
        for contest in contests(place):
            found = held(contest, place)
            rows += rows_of(contest, place, found, floor)
            targets += targets_of(contest, place, found)
    return Findings(
        title="Softmax regression",
        conditions=[
            *(f"{d.name}: {d.X.shape[0]:,} x {d.X.shape[1]:,} float32, {len(np.unique(d.y))} classes." for d in data),
            "Mean loss plus penalty, unpenalised intercept. Whole fits, warm, in turns; medians of up to "
            f"{REPEATS}, fits longer than {LONG:g} s once.",
            "Objective and relative duality gap of the published coefficients, by NumPy in float64 "
            "(benchmarks/independent.py).",
            "passes: seconds over the time of reading X once (a sum over it), the floor of anything that looks at X.",
            f"On CIFAR-10 gradus is alone: its peers take many minutes each. {torch.get_num_threads()} threads.",
        ],
        tables=[Table("Whole fits", COLUMNS, rows)],
        targets=targets,
        packages=("numpy", "numba", "torch", "scikit-learn", "scikit-learn-intelex", "cyanure"),
    )


def contests(place: Pixels) -> list[Contest]:
    """Return the problems on one data set; on CIFAR-10 gradus is alone, since its peers take many minutes each."""
    found = [ridge(place), lasso(), elastic_net(), group_lasso()]
    if place.name == "CIFAR-10":
        return [replace(contest, peers={}, solved=small_gap, wanted=0.0) for contest in found]
    return found


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


def lasso() -> Contest:
    """Return the contest under absolute values."""
    peers = {"cyanure": cyanure("l1", LASSO), "cyanure, tol 5e-5": cyanure("l1", LASSO, tol=5e-5)}
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
    """Return every contender's fits, taken in turns."""
    makers = {"gradus": contest.ours, **contest.peers}
    found: dict[str, list[Fit]] = {name: [] for name in makers}
    for _ in range(REPEATS):
        for name, make in makers.items():
            if not found[name] or found[name][0].seconds < LONG:
                found[name].append(fitted(make(), place, contest.penalty))
    return found


def fitted(model: Any, place: Pixels, penalty: Penalty) -> Fit:
    """Fit once, then measure what was reached."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        begun = time.perf_counter()
        model.fit(place.X, place.y)
        seconds = time.perf_counter() - begun
    coefficients = np.asarray(model.coef_)
    W = coefficients.T if coefficients.shape[1] == place.X.shape[1] else coefficients
    iterations = int(np.max(getattr(model, "n_iter_", 0)))
    return Fit(seconds, iterations, checked(place.X, place.y, penalty, W, np.ravel(model.intercept_)))


def rows_of(contest: Contest, place: Pixels, found: Mapping[str, list[Fit]], floor: float) -> list[list[Any]]:
    """Return the contest's rows of the table."""
    ours = median([fit.seconds for fit in found["gradus"]])
    rows = []
    for name, fits in found.items():
        seconds, reached = median([fit.seconds for fit in fits]), fits[-1].reached
        there = "yes" if contest.solved(reached) else "no"
        passes, iterations = round(seconds / floor), fits[-1].iterations
        problem = f"{place.name}, {contest.title}"
        figures = (f"{reached.objective:.7f}", f"{reached.gap:.1e}", there)
        rows.append([problem, name, seconds, seconds / ours, passes, iterations, *figures])
    return rows


def targets_of(contest: Contest, place: Pixels, found: Mapping[str, list[Fit]]) -> list[Target]:
    """Return what was promised of this contest."""
    qualified = [fits for name, fits in found.items() if name != "gradus" and contest.solved(fits[-1].reached)]
    there = all(contest.solved(fit.reached) for fit in found["gradus"])
    ours = median([fit.seconds for fit in found["gradus"]])
    title = f"{place.name}, {contest.title}"
    if not qualified or not contest.wanted:
        return [Target(f"{title}: gets there", found["gradus"][-1].reached.gap, there)]
    ratio = min(median([fit.seconds for fit in fits]) for fits in qualified) / ours
    promise = f"{title}: {contest.wanted:g} times faster than the best peer that gets there"
    return [Target(promise, ratio, there and ratio >= contest.wanted)]


def one_read(place: Pixels) -> float:
    """Return the seconds of reading X once."""
    X, seconds = torch.from_numpy(place.X), []
    for _ in range(9):
        begun = time.perf_counter()
        X.sum()
        seconds.append(time.perf_counter() - begun)
    return median(seconds)


def warm_up(place: Pixels) -> None:
    """Compile what the contests call."""
    few = Pixels(place.name, place.X[:: len(place.X) // 600], place.y[:: len(place.y) // 600])
    for contest in contests(few):
        fitted(contest.ours(), few, contest.penalty)
