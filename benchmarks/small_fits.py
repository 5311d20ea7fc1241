"""Small data, where most people first call a classifier: whole fits beside scikit-learn's."""

from __future__ import annotations

import time
import warnings
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from benchmarks.independent import Checked, Penalty, checked
from benchmarks.measure import Findings, Table, Target, alternate, median
from gradus.estimators import SoftmaxRegression

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

GAP = 1e-4
# fits of each, and seconds after which fewer of all of them are enough
REPEATS, LEAST, ENOUGH = 50, 3, 8.0
# seconds of a fit of scikit-learn's after which no tighter tolerance is tried
SLOW = 5.0
# scikit-learn's tolerances from the loosest; each solver is given the first that reaches the objective of gradus
TOLERANCES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
# liblinear penalises its intercept, as a weight of a feature of this size
INTERCEPT_SIZE = 30.0
COLUMNS = ("data", "penalty", "fit", "milliseconds", "times gradus", "objective", "gap", "gets there")


class Small(NamedTuple):
    """Some data of which whole fits take milliseconds."""

    name: str
    X: NDArray[np.float64]
    y: NDArray[np.int64]

    def reached(self, model: Any, penalty: Penalty) -> Checked:
        """Return what a fitted model reached; scikit-learn's one row of two classes is half of their difference."""
        weights, intercept = np.asarray(model.coef_), np.asarray(model.intercept_)
        if len(weights) == 1:
            weights, intercept = np.vstack([-weights, weights]) / 2, np.append(-intercept, intercept) / 2
        return checked(self.X, self.y, penalty, weights.T, intercept)


def run(part: str = "") -> Findings:
    """Time whole fits in turns, and check every one in float64; of ``part``, the data whose names begin like that."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows, targets = [], []
    for data in datasets():
        for kind in ("L2", "L1") if data.name.startswith(part) else ():
            found, target = contest(data, kind)
            rows += found
            targets.append(target)
    return Findings(
        title="Small fits",
        conditions=[
            "Standardised features in float64; the digits divided by 16. The strength is scikit-learn's default, C = 1 "
            "for the sum of the losses, free intercept.",
            f"gradus to its default relative duality gap of {GAP:g}. scikit-learn at the loosest tolerance of "
            f"{', '.join(f'{tolerance:g}' for tolerance in TOLERANCES)} that reaches the objective of gradus, or a "
            f"relative gap of {GAP / 10:g}; at the last of them where none does, or the "
            f"first whose fit takes more than {SLOW:g} s.",
            f"liblinear penalises its intercept, here with intercept_scaling={INTERCEPT_SIZE:g}.",
            f"Medians of {REPEATS} fits of each, in turns, or of so many that all take {ENOUGH:g} s, at least {LEAST}.",
            "Objective and gap are by NumPy in float64, from the published coefficients (benchmarks/independent.py).",
            f"{torch.get_num_threads()} threads.",
        ],
        tables=[Table("Whole fits", COLUMNS, rows)],
        targets=targets,
        packages=("numpy", "numba", "torch", "scikit-learn"),
    )


def datasets() -> list[Small]:
    """Return the data, the smallest first."""
    loaders = {"iris": load_iris, "wine": load_wine, "breast cancer": load_breast_cancer}
    loaded = {name: load(return_X_y=True) for name, load in loaders.items()}
    found = [Small(name, StandardScaler().fit_transform(X), y) for name, (X, y) in loaded.items()]
    for samples, features in ((1000, 10), (10_000, 20)):
        X, y = make_classification(samples, features, n_informative=features // 2, random_state=0)
        found.append(Small(f"{samples:,} x {features}, two classes", X, y))
    X, y = load_digits(return_X_y=True)
    return [*found, Small("digits", X / 16.0, y)]


def contest(data: Small, kind: str) -> tuple[list[list[Any]], Target]:
    """Return the rows of the table of one problem, and what was promised of it."""
    samples, two = len(data.y), len(np.unique(data.y)) == 2
    # of two classes scikit-learn has one weight, whose square is twice those of half of it and minus half of it
    alpha = 2 / samples if two and kind == "L2" else 1 / samples
    penalty = Penalty(ridge=alpha) if kind == "L2" else Penalty(absolute=alpha)
    ours = SoftmaxRegression(alpha, l1_ratio=float(kind == "L1")).fit(data.X, data.y)
    goal = data.reached(ours, penalty)
    models = {"gradus": ours}
    for name, peer in peers(kind, two=two).items():
        models[f"scikit-learn {name}"] = loosest(peer, data, penalty, goal)
    fits = {name: partial(clone(model).fit, data.X, data.y) for name, model in models.items()}
    once = sum(median(seconds) for seconds in alternate(fits, 1).values())
    seconds = {
        name: median(each) for name, each in alternate(fits, int(np.clip(ENOUGH / once, LEAST, REPEATS))).items()
    }
    return tabled(data, kind, penalty, models, seconds)


def peers(kind: str, *, two: bool) -> Mapping[str, LogisticRegression]:
    """Return scikit-learn's solvers for a penalty, at the loosest tolerance; saga alone takes L1 of many classes."""
    common = {"C": 1.0, "tol": TOLERANCES[0], "max_iter": 5000}
    if kind == "L2":
        return {name: LogisticRegression(solver=name, **common) for name in ("lbfgs", "newton-cholesky")}
    if two:
        size = {"intercept_scaling": INTERCEPT_SIZE, "random_state": 0}
        return {"liblinear": LogisticRegression(solver="liblinear", l1_ratio=1.0, **size, **common)}
    return {"saga": LogisticRegression(solver="saga", l1_ratio=1.0, random_state=0, **common)}


def loosest(peer: LogisticRegression, data: Small, penalty: Penalty, goal: Checked) -> LogisticRegression:
    """Return the fit of a peer at the loosest tolerance that gets there, or at the last or one that is slow."""
    for tolerance in TOLERANCES:
        begun = time.perf_counter()
        fitted = clone(peer).set_params(tol=tolerance).fit(data.X, data.y)
        if gets_there(data.reached(fitted, penalty), goal) or time.perf_counter() - begun > SLOW:
            break
    return fitted


def gets_there(reached: Checked, goal: Checked) -> bool:
    """Tell whether a fit is as good as that of gradus, or ten times better than asked for."""
    return reached.objective <= goal.objective or reached.gap <= GAP / 10


def tabled(
    data: Small, kind: str, penalty: Penalty, models: Mapping[str, Any], seconds: Mapping[str, float]
) -> tuple[list[list[Any]], Target]:
    """Return the rows of the table, and whether gradus is as fast as the fastest that gets there."""
    reached = {name: data.reached(model, penalty) for name, model in models.items()}
    goal, own = reached["gradus"], seconds["gradus"]
    there = {name: gets_there(each, goal) for name, each in reached.items()}
    rows = []
    for name, each in reached.items():
        title = name if name == "gradus" else f"{name}, tol {models[name].tol:g}"
        figures = (1e3 * seconds[name], seconds[name] / own, f"{each.objective:.7f}", f"{each.gap:.1e}")
        rows.append([data.name, kind, title, *figures, "yes" if there[name] else "no"])
    others = [name for name in seconds if name != "gradus"]
    ratio = min(seconds[name] for name in [name for name in others if there[name]] or others) / own
    promise = f"{data.name}, {kind}: no slower than scikit-learn's fastest that gets there"
    return rows, Target(promise, ratio, ratio >= 1 and goal.gap <= GAP)
