"""Softmax regression with absolute values on sparse rows like texts: many more features than rows, few that matter."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import scipy.sparse
import torch
from cyanure.estimators import Classifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from benchmarks.independent import Checked, Penalty, checked
from benchmarks.measure import Findings, Table, Target, median
from benchmarks.resident_memory import alone, growth
from gradus.estimators import SoftmaxRegression

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ROWS, FEATURES, CLASSES, WORDS = 20_000, 200_000, 20, 105
STRONG, WEAK = 1e-4, 1e-5
GAP = 1e-3
WANTED = 5.0
REPEATS = {STRONG: 3, WEAK: 1}
# most iterations of catalyst-miso, of qning-ista, and of saga: several times what gradus takes
CAPS = {STRONG: (200, 15, 15), WEAK: (200, 62, 14)}
MEMORY = 1.3


class Fit(NamedTuple):
    """What one fit took and reached."""

    seconds: float
    iterations: int
    reached: Checked
    features: int


def run() -> Findings:
    """Time whole fits of both strengths and types, and check every one in float64."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y = texts()
    wide = X.astype(np.float64)
    floors = {matrix.dtype: one_pass(matrix) for matrix in (X, wide)}
    rows, targets = [], []
    for alpha in (STRONG, WEAK):
        ours = {}
        for matrix in (X, wide):
            ours[matrix.dtype] = repeated(lambda alpha=alpha: gradus(alpha), matrix, y, alpha)
            rows.append(row(f"gradus, {matrix.dtype}", alpha, ours[matrix.dtype], floors[matrix.dtype]))
        peers = peers_of(alpha)
        fits = {name: fitted(peer.make(), wide, y, alpha) for name, peer in peers.items()}
        for name, fit in fits.items():
            gave_up = ", which gave up" if peers[name].gave_up(fit) else ""
            rows.append(row(f"{name}, float64{gave_up}", alpha, fit, floors[wide.dtype]))
        slowest = max(ours.values(), key=lambda fit: fit.seconds)
        there = [fit for fit in fits.values() if fit.reached.gap <= GAP]
        stopped = [fit for name, fit in fits.items() if not peers[name].gave_up(fit)]
        fastest = min(fit.seconds for fit in there or stopped)
        worst = max(fit.reached.gap for fit in ours.values())
        targets.append(Target(f"alpha {alpha:g}: gap at most {GAP:g}, of both types", worst, worst <= GAP))
        how = "the fastest peer" + ("" if there else ", and every peer was stopped before it got there or gave up,")
        ratio = fastest / slowest.seconds
        targets.append(
            Target(f"alpha {alpha:g}: {how} takes at least {WANTED:g} times as long", ratio, ratio >= WANTED)
        )
    tables = [Table("Whole fits", COLUMNS, rows), memory_table(), ridge_table(X, y)]
    return Findings(
        title="Sparse text",
        conditions=[
            f"{X.shape[0]:,} x {X.shape[1]:,} CSR with {X.nnz / X.shape[0]:.0f} entries a row: words drawn by Zipf's "
            f"law, tf-idf, rows of unit length; {CLASSES} classes from a sparse truth of 60 features each, plus noise.",
            f"Mean loss plus alpha |W|_1, free intercept; gradus to a relative duality gap of {GAP:g}.",
            f"{torch.get_num_threads()} threads. gradus: median of {REPEATS[STRONG]} whole fits at "
            f"alpha {STRONG:g}, else once; warm; peers once.",
            "cyanure and saga stop where their iterations are capped, far above that gap: the gap column says where. "
            "The ratio is then a bound: each of them takes longer than the seconds it was given. One that ended by "
            "itself before its cap and far above the gap gave up (its objective had risen for several looks), and "
            "does not count.",
            "A pass is one reading of the entries with one multiplication for each class: X' R by SciPy. The fit needs "
            "a handful: bounds, two or three looks at all slopes, copies of the working columns, the certificate.",
            "Objectives and gaps are by NumPy and SciPy in float64, from the published coefficients.",
        ],
        tables=tables,
        targets=targets,
        packages=("numpy", "numba", "torch", "scikit-learn", "cyanure"),
    )


COLUMNS = ("fit", "alpha", "seconds", "passes", "iterations", "features", "objective", "gap")


def texts() -> tuple[scipy.sparse.csr_matrix, NDArray[np.int64]]:
    """Return tf-idf rows, float32, and classes drawn from a sparse softmax regression."""
    generator = np.random.default_rng(0)
    share = 1.0 / (np.arange(1, FEATURES + 1) + 10.0)
    words = np.searchsorted(np.cumsum(share / share.sum()), generator.random(ROWS * WORDS)).clip(max=FEATURES - 1)
    at = np.repeat(np.arange(ROWS), WORDS)
    X = scipy.sparse.csr_matrix((np.ones(ROWS * WORDS), (at, words)), shape=(ROWS, FEATURES))
    X.sum_duplicates()
    frequency = np.bincount(X.indices, minlength=FEATURES)
    X.data = (1 + np.log(X.data)) * (1 + np.log((1 + ROWS) / (1 + frequency[X.indices])))
    lengths = np.sqrt(np.add.reduceat(X.data**2, X.indptr[:-1]))
    X.data /= np.repeat(lengths, np.diff(X.indptr))
    truth = np.zeros((FEATURES, CLASSES))
    for k in range(CLASSES):
        truth[generator.choice(np.arange(20, 5000), 60, replace=False), k] = 30 * generator.normal(size=60)
    logits = X @ truth
    y = np.argmax(logits + generator.gumbel(size=logits.shape), axis=1)
    # frequent words do not come first in real vocabularies
    X.indices = generator.permutation(FEATURES).astype(np.int32)[X.indices]
    X.has_sorted_indices = False
    X.sort_indices()
    return X.astype(np.float32), y


def gradus(alpha: float) -> SoftmaxRegression:
    """Return our estimator."""
    return SoftmaxRegression(alpha, l1_ratio=1.0, tol=GAP)


class Peer(NamedTuple):
    """A peer's maker, and how many iterations it was given."""

    make: Callable[[], Any]
    cap: int

    def gave_up(self, fit: Fit) -> bool:
        """Tell whether a fit ended by itself without having got there; cyanure counts in tens."""
        return fit.reached.gap > GAP and fit.iterations <= self.cap - 10


def peers_of(alpha: float) -> dict[str, Peer]:
    """Return the peers, whose iterations are capped to what a benchmark can wait for."""

    def cyanure(solver: str, limit: int) -> Callable[[], Any]:
        return lambda: Classifier(
            loss="multiclass-logistic",
            penalty="l1",
            lambda_1=alpha,
            solver=solver,
            tol=GAP,
            max_iter=limit,
            verbose=False,
            multi_class="multinomial",
            n_threads=torch.get_num_threads(),
        )

    def saga(limit: int) -> Any:
        return LogisticRegression(
            C=1 / (alpha * ROWS), l1_ratio=1.0, solver="saga", tol=1e-9, max_iter=limit, random_state=0
        )

    passes, steps, sweeps = CAPS[alpha]
    return {
        f"cyanure catalyst-miso, at most {passes} iterations": Peer(cyanure("catalyst-miso", passes), passes),
        f"cyanure qning-ista, {steps} iterations": Peer(cyanure("qning-ista", steps), steps),
        f"scikit-learn saga, {sweeps} iterations": Peer(lambda: saga(sweeps), sweeps),
    }


def fitted(model: Any, X: scipy.sparse.csr_matrix, y: NDArray[np.int64], alpha: float) -> Fit:
    """Fit once and check."""
    begun = time.perf_counter()
    model.fit(X, y)
    seconds = time.perf_counter() - begun
    W = np.asarray(model.coef_)
    W = W.T if W.shape[0] == CLASSES else W
    b = np.asarray(model.intercept_).ravel()
    reached = checked(X, y, Penalty(absolute=alpha), W, b)
    return Fit(seconds, int(np.max(getattr(model, "n_iter_", 0))), reached, int((W != 0).any(axis=1).sum()))


def repeated(make: Callable[[], Any], X: scipy.sparse.csr_matrix, y: NDArray[np.int64], alpha: float) -> Fit:
    """Return the fit with the median of the times of several, after one of a few rows that compiles."""
    make().set_params(alpha=1e-2).fit(X[:500], y[:500])
    fits = [fitted(make(), X, y, alpha) for _ in range(REPEATS[alpha])]
    return fits[0]._replace(seconds=median([fit.seconds for fit in fits]))


def one_pass(X: scipy.sparse.csr_matrix) -> float:
    """Return the seconds of X' R, the faster of two."""
    residual, seconds = np.ones((X.shape[0], CLASSES), X.dtype), []
    for _ in range(2):
        begun = time.perf_counter()
        X.T @ residual
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def row(name: str, alpha: float, fit: Fit, floor: float) -> list[Any]:
    """Return the table's row of a fit."""
    reached = fit.reached
    passes, objective = fit.seconds / floor, f"{reached.objective:.6f}"
    return [name, alpha, fit.seconds, passes, fit.iterations, fit.features, objective, reached.gap]


def memory_table() -> Table:
    """Return by how much the resident memory grows at most during a fit, beside X and the coefficients."""
    rows = alone(memory_row, ("float32", "float64"))
    head = ("type", "X, MB", "coefficients, MB", "growth during the fit, MB", "X and growth over X and coefficients")
    return Table(
        f"Memory at alpha {STRONG:g}, of a process of its own for each (at most {MEMORY} was hoped for)", head, rows
    )


def memory_row(dtype: str) -> list[Any]:
    """Return the row of one type. What is compiled is loaded before, by a fit of a few rows."""
    X, y = texts()
    X = X.astype(dtype)
    size = X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
    coefficients = CLASSES * FEATURES * X.data.itemsize
    gradus(STRONG).fit(X[:500], y[:500])
    grown = growth(lambda: gradus(STRONG).fit(X, y))
    return [dtype, size / 1e6, coefficients / 1e6, grown / 1e6, (size + grown) / (size + coefficients)]


def ridge_table(X: scipy.sparse.csr_matrix, y: NDArray[np.int64]) -> Table:
    """Return one fit with squared weights beside scikit-learn's."""
    alpha, rows = STRONG, []
    models = {
        "gradus, L2": SoftmaxRegression(alpha, tol=GAP),
        "scikit-learn lbfgs, L2, tol 1e-4": LogisticRegression(C=1 / (alpha * ROWS), tol=1e-4, max_iter=1000),
    }
    for name, model in models.items():
        if isinstance(model, SoftmaxRegression):
            SoftmaxRegression(alpha, tol=GAP, max_iter=2).fit(X[:500], y[:500])
        begun = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - begun
        reached = checked(X, y, Penalty(ridge=alpha), model.coef_.T, model.intercept_)
        rows.append([name, alpha, seconds, int(np.max(model.n_iter_)), f"{reached.objective:.6f}", reached.gap])
    return Table(
        "Squares on the same rows, float32", ("fit", "alpha", "seconds", "iterations", "objective", "gap"), rows
    )
