"""Every instance that a law runs over. Adding one thing is one row here; the laws then run over it by themselves."""

from __future__ import annotations

import torch

from gradus import layers
from gradus.losses import CrossEntropy, DenseFeatures, HuberLoss, LinearModel, Logistic, Poisson, SampleLoss, Squared
from gradus.penalties import (
    L0,
    L1,
    L2,
    MCP,
    SCAD,
    AffineSet,
    Box,
    BoxedL1,
    Composed,
    ConjugateOf,
    Differences,
    ElasticNet,
    Entropy,
    GridDifferences,
    GroupLasso,
    Groups,
    HalfSpace,
    Huber,
    IndexGroupLasso,
    L1Ball,
    L2Ball,
    LHalf,
    LInf,
    LInfBall,
    LogSum,
    Masked,
    MatrixMap,
    MoreauEnvelope,
    Nonnegative,
    NonnegativeGroupLasso,
    NonnegativeL1,
    Nuclear,
    Rank,
    RankAtMost,
    RowsAtMost,
    SecondOrderCone,
    SemidefiniteCone,
    Simplex,
    Slope,
    SmoothMasked,
    SparseGroupLasso,
    SpectralBall,
    Sum,
    TotalVariation,
    WeightedGroupLasso,
    Zero,
    over_columns,
    over_rows,
    rotated,
    scaled,
    translated,
    transposed,
)
from gradus.solvers import (
    LBFGS,
    CoordinateDescent,
    DavisYin,
    Newton,
    NewtonCG,
    PrimalDual,
    ProximalGradient,
    ProximalNewton,
    RenewedLBFGS,
    Terms,
)

SAMPLES, FEATURES, OUTPUTS = 30, 4, 3


def numbers(*shape: int) -> torch.Tensor:
    """The same numbers at each call."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)


GROUPS = Groups([[0, 3], [2], [1, 4]])

# convex penalties of a matrix of the shape in SHAPES, or else of this one
SHAPE = (5, 3)
SHAPES: dict[str, tuple[int, ...]] = {"semidefinite cone": (4, 4)}
PENALTIES = {
    "zero": Zero(),
    "l1": L1(0.7),
    "l1 of strength 0": L1(0.0),
    "l2": L2(0.7),
    "l2 of strength 0": L2(0.0),
    "elastic net": ElasticNet(l1=0.4, l2=0.9),
    "elastic net without squares": ElasticNet(l1=0.4, l2=0.0),
    "group lasso": GroupLasso(0.7),
    "nuclear": Nuclear(0.7),
    "nonnegative l1": NonnegativeL1(0.7),
    "boxed l1": BoxedL1(0.4, low=-0.5, high=2.0),
    "huber": Huber(0.7, delta=0.8),
    "entropy": Entropy(0.7),
    "l_inf": LInf(0.7),
    "l_inf of strength 0": LInf(0.0),
    "slope": Slope(torch.linspace(1.0, 0.1, 15)),
    "slope with zeros": Slope(torch.tensor([1.0] * 3 + [0.0] * 12)),
    "total variation": TotalVariation(0.4),
    "index group lasso": IndexGroupLasso(0.5, GROUPS),
    "index group lasso, weighted": IndexGroupLasso(0.5, Groups([[0, 3], [1, 2, 4]], weights=[1.0, 3.0])),
    "sparse group lasso": SparseGroupLasso(0.3, 0.4),
    "sparse group lasso of groups": SparseGroupLasso(0.3, 0.2, GROUPS),
    "sparse group lasso without l1": SparseGroupLasso(0.0, 0.4, GROUPS),
    "sparse group lasso without groups": SparseGroupLasso(0.4, 0.0, GROUPS),
    "nonnegative group lasso": NonnegativeGroupLasso(0.7),
    "nonnegative group lasso of groups": NonnegativeGroupLasso(0.4, GROUPS),
    "weighted group lasso": WeightedGroupLasso(0.7, torch.tensor([0.1, 1.0, 20.0])),
    "masked l1": Masked(L1(0.7), rows=3),
    "masked l2": SmoothMasked(L2(0.7), rows=3),
    "masked group lasso": Masked(GroupLasso(0.7), rows=3),
}

# the calculus of penalties
COMPOSED = {
    "scaled nuclear": scaled(Nuclear(1.0), 0.7),
    "scaled total variation": scaled(TotalVariation(1.0), 0.3),
    "translated l1": translated(L1(0.7), numbers(5, 3)),
    "translated second-order cone": translated(SecondOrderCone(), numbers(5, 3)),
    "rotated l1": rotated(L1(0.7), torch.linalg.qr(numbers(5, 5)).Q),
    "rotated total variation": rotated(TotalVariation(0.4), torch.linalg.qr(numbers(5, 5)).Q),
    "transposed group lasso": transposed(GroupLasso(0.7)),
    "simplex of each column": over_columns(Simplex(1.5)),
    "second-order cone of each row": over_rows(SecondOrderCone()),
    "l_inf of each row": over_rows(LInf(0.7)),
    "half-space of each row": over_rows(HalfSpace(numbers(3), offset=0.5)),
    "l2 of each column": over_columns(L2(0.7)),
    "sum of l1 and nonnegative": Sum([Nonnegative(), L1(0.7)]),
    "sum of a simplex, a half-space and squares": Sum([Simplex(1.5), HalfSpace(numbers(5, 3), offset=0.1), L2(0.7)]),
    "l1 of a map": Composed(L1(0.4), MatrixMap(numbers(4, 5))),
    "group lasso of differences and a box": Sum([Composed(GroupLasso(0.4), Differences()), Box(-0.3, 0.5)]),
    "isotropic total variation of pictures": Composed(GroupLasso(0.4), GridDifferences(5, 1)),
    "conjugate of the group lasso": ConjugateOf(GroupLasso(0.7)),
    "conjugate of the elastic net": ConjugateOf(ElasticNet(0.4, 0.9)),
    "conjugate of l_inf": ConjugateOf(LInf(0.7)),
    "envelope of l1": MoreauEnvelope(L1(0.7), radius=0.5),
    "envelope of the nuclear norm": MoreauEnvelope(Nuclear(0.7), radius=2.0),
}
PENALTIES |= COMPOSED

# indicators of convex sets: their prox is a projection
PROJECTIONS = {
    "simplex": Simplex(1.5),
    "l1 ball": L1Ball(1.5),
    "l2 ball": L2Ball(1.5),
    "l_inf ball": LInfBall(0.7),
    "box": Box(-0.3, torch.tensor([0.0, 1.0, 2.0])),
    "nonnegative": Nonnegative(),
    "half-space": HalfSpace(numbers(5, 3), offset=-0.5),
    "affine set": AffineSet(numbers(2, 5), numbers(2, 3)),
    "second-order cone": SecondOrderCone(),
    "semidefinite cone": SemidefiniteCone(),
    "spectral ball": SpectralBall(0.7),
}
PENALTIES |= PROJECTIONS

# penalties that are not convex
NONCONVEX = {
    "l0": L0(0.7),
    "l_1/2": LHalf(0.7),
    "mcp": MCP(0.7, gamma=2.5),
    "scad": SCAD(0.7, knee=3.0),
    "log-sum": LogSum(0.7, epsilon=0.3),
    "rank": Rank(0.7),
    "rank at most 2": RankAtMost(2),
    "rows at most 2 of 5": RowsAtMost(0.4),
}

# those that are a sum over entries of one function: of one variable everything can be tried
SEPARABLE = [
    *("zero", "l1", "l2", "elastic net", "nonnegative l1", "boxed l1", "huber", "entropy", "nonnegative", "l_inf ball"),
    *("l0", "l_1/2", "mcp", "scad", "log-sum"),
]

# those without a number to check
WITHOUT_NUMBERS = [
    *("zero", "box", "nonnegative", "affine set", "second-order cone", "semidefinite cone"),
    *("slope", "slope with zeros", "rank at most 2"),
]

# those of one shape, and those whose domain has no point without entries
OF_ONE_SHAPE = [
    *("semidefinite cone", "half-space", "affine set", "slope", "slope with zeros", "index group lasso"),
    *("index group lasso, weighted", "nonnegative group lasso of groups", "sparse group lasso of groups"),
    *("sparse group lasso without l1", "sparse group lasso without groups", "translated l1"),
    *("translated second-order cone", "rotated l1", "rotated total variation"),
    *("sum of a simplex, a half-space and squares", "l1 of a map", "isotropic total variation of pictures"),
]
NOT_EMPTY = ["simplex", "simplex of each column"]

# those that 0 does not minimise
NOT_LEAST_AT_ZERO = [
    *("entropy", "simplex", "half-space", "affine set", "translated l1", "translated second-order cone"),
    *("simplex of each column", "sum of a simplex, a half-space and squares"),
]

# solvers, each with the penalties of the first 4 rows of a (5, 3) point that it takes
SOLVERS = {
    "proximal gradient": (
        ProximalGradient(),
        [L1(0.02), L2(0.02), ElasticNet(0.01, 0.01), GroupLasso(0.02), Nuclear(0.02)],
    ),
    "lbfgs": (LBFGS(), [L2(0.02)]),
    "renewed lbfgs": (RenewedLBFGS(lambda point: lambda gradient: (1 + len(point)) * gradient, every=3), [L2(0.02)]),
    "newton": (Newton(Terms(0.0, 0.02, rows=4)), [L2(0.02)]),
    "newton, l1": (Newton(Terms(0.02, 0.0, rows=4)), [L1(0.02)]),
    "newton, elastic net": (Newton(Terms(0.01, 0.01, rows=4)), [ElasticNet(0.01, 0.01)]),
    "newton, rows": (Newton(Terms(0.0, 0.0, rows=4, norm=0.02)), [GroupLasso(0.02)]),
    "newton, sparse rows": (Newton(Terms(0.01, 0.0, rows=4, norm=0.01)), [SparseGroupLasso(0.01, 0.01)]),
    "newton cg": (NewtonCG(), [L2(0.02)]),
    "proximal newton, l1": (ProximalNewton(Terms(0.02, 0.0, rows=4)), [L1(0.02)]),
    "proximal newton, elastic net": (ProximalNewton(Terms(0.01, 0.01, rows=4)), [ElasticNet(0.01, 0.01)]),
    "davis-yin": (DavisYin(), [L1(0.02), L2(0.02), GroupLasso(0.02), Nuclear(0.02)]),
    "primal-dual": (PrimalDual(), [L1(0.02), L2(0.02), GroupLasso(0.02), Nuclear(0.02)]),
    "proximal newton, rows": (ProximalNewton(Terms(0.0, 0.0, rows=4, norm=0.02)), [GroupLasso(0.02)]),
    "proximal newton, sparse rows": (
        ProximalNewton(Terms(0.01, 0.0, rows=4, norm=0.01)),
        [SparseGroupLasso(0.01, 0.01)],
    ),
    "proximal newton, squares": (ProximalNewton(Terms(0.0, 0.02, rows=4)), [L2(0.02)]),
    "coordinate descent, l1": (CoordinateDescent(Terms(0.02, 0.0, rows=4)), [L1(0.02)]),
    "coordinate descent, elastic net": (CoordinateDescent(Terms(0.01, 0.01, rows=4)), [ElasticNet(0.01, 0.01)]),
}


def labels(kind: str, dtype: torch.dtype, seed: int = 0) -> torch.Tensor:
    """Codes, probabilities or numbers for the rows."""
    generator = torch.Generator().manual_seed(seed)
    if kind == "codes":
        return torch.randint(OUTPUTS, (SAMPLES,), generator=generator)
    numbers = torch.randn(SAMPLES, OUTPUTS, generator=generator, dtype=torch.float64)
    kinds = {
        "probabilities": torch.softmax(numbers, dim=1),
        "numbers": numbers,
        "zeros and ones": (numbers > 0).double(),
        "between zero and one": torch.sigmoid(numbers),
        "counts": numbers.exp().floor(),
    }
    return kinds[kind].to(dtype)


def losses(dtype: torch.dtype) -> dict[str, SampleLoss]:
    """Every loss per sample."""
    return {
        "cross-entropy of codes": CrossEntropy(labels("codes", dtype), OUTPUTS),
        "cross-entropy of probabilities": CrossEntropy(labels("probabilities", dtype), OUTPUTS),
        "squared": Squared(labels("numbers", dtype)),
        "logistic": Logistic(labels("zeros and ones", dtype)),
        "logistic of probabilities": Logistic(labels("between zero and one", dtype)),
        "huber": HuberLoss(labels("numbers", dtype), delta=0.8),
        "poisson": Poisson(labels("counts", dtype)),
    }


def models(dtype: torch.dtype) -> dict[str, LinearModel]:
    """Every loss on a linear model, with and without an intercept, a temperature and a centre."""
    generator = torch.Generator().manual_seed(1)
    X = DenseFeatures((torch.randn(SAMPLES, FEATURES, generator=generator, dtype=torch.float64) + 0.5).to(dtype))
    weights = torch.rand(SAMPLES, generator=generator, dtype=torch.float64)
    weights = (weights / weights.sum()).to(dtype)
    rows = {}
    for name, loss in losses(dtype).items():
        rows[name] = LinearModel(loss, X, weights)
        rows[f"{name}, no intercept, temperature 0.5"] = LinearModel(loss, X, weights, intercept=False, scale=2.0)
        rows[f"{name}, centred"] = LinearModel(loss, X, weights, scale=0.5).centred()
    return rows


MODELS = list(models(torch.float64))
LOSSES = list(losses(torch.float64))


# pooling: a function of (input, geometry) for each operator; names that end in "positive" take positive inputs
def _numbers_like(x: torch.Tensor, *shape: int) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(x.device, x.dtype)


def _uniform(x: torch.Tensor, geometry: layers.Windows) -> torch.Tensor:
    return _numbers_like(x, *x.shape[: -geometry.axes], *geometry.output(x.shape[-geometry.axes :]))


POOLING = {
    "max": layers.max_pool,
    "min": layers.min_pool,
    "average": layers.average_pool,
    "average of what is inside": lambda x, w: layers.average_pool(x, w, count_include_pad=False),
    "sum": layers.sum_pool,
    "l1": lambda x, w: layers.lp_pool(x, 1, w),
    "l2": lambda x, w: layers.lp_pool(x, 2, w),
    "l3": lambda x, w: layers.lp_pool(x, 3, w),
    "l_2.5": lambda x, w: layers.lp_pool(x, 2.5, w),
    "log-sum-exp": lambda x, w: layers.log_sum_exp_pool(x, w, sharpness=2.0),
    "soft": layers.soft_pool,
    "lip": lambda x, w: layers.lip_pool(x, (2 * x).sin(), w),
    "gem positive": lambda x, w: layers.gem_pool(x, x.new_full((1,), 2.5), w, least=0.01),
    "stochastic": lambda x, w: layers.stochastic_pool(x, w, uniform=_uniform(x, w)),
    "expected stochastic positive": layers.stochastic_mean_pool,
    "mixed": lambda x, w: layers.mixed_pool(x, x.new_full((1,), 0.3), w),
    "gated": lambda x, w: layers.gated_pool(x, _numbers_like(x, *w.kernel), w),
    "weighted": lambda x, w: layers.weighted_pool(x, _numbers_like(x, *w.kernel), w),
}
