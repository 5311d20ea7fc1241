"""Intervals, against SciPy's and by how often they cover."""

import numpy as np
import pytest
from scipy.stats import binomtest

from gradus.core.errors import InputError
from gradus.metrics import Bootstrap, ClopperPearson, ClusterBootstrap, Rows, Wilson, top_k_errors_from_counts

METHODS = {Wilson: "wilson", ClopperPearson: "exact"}


def of_misses(misses, interval, labels=None, n_classes=3, **more):
    """The top-1 error of rows that miss or hit."""
    labels = np.zeros(len(misses), dtype=int) if labels is None else labels
    greater = np.asarray(misses, dtype=int)
    return top_k_errors_from_counts(
        Rows(labels, **more), (greater, np.zeros_like(greater)), n_classes=n_classes, k=1, interval=interval
    )


@pytest.mark.parametrize("kind", METHODS)
@pytest.mark.parametrize("level", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize(("misses", "rows"), [(0, 1), (1, 1), (0, 20), (20, 20), (1, 50), (37, 100), (9999, 10000)])
def test_equals_scipy(kind, level, misses, rows):
    expected = binomtest(misses, rows).proportion_ci(level, method=METHODS[kind])
    result = of_misses(np.arange(rows) < misses, kind(level=level))
    for low, high in [(result[1].low, result[1].high), (result.per_class.low[0, 0], result.per_class.high[0, 0])]:
        assert low == pytest.approx(expected.low, abs=1e-12)
        assert high == pytest.approx(expected.high, abs=1e-12)
    assert result[1].macro_low == pytest.approx(expected.low, abs=1e-9)  # one class: macro is the overall error
    assert result[1].macro_high == pytest.approx(expected.high, abs=1e-9)


def test_equal_weights_change_nothing():
    misses = np.arange(40) < 7
    plain, weighted = of_misses(misses, Wilson()), of_misses(misses, Wilson(), sample_weight=np.full(40, 0.3))
    np.testing.assert_allclose([weighted[1].low, weighted[1].high], [plain[1].low, plain[1].high], rtol=1e-12)


def test_unequal_weights_widen():
    misses = np.arange(40) % 4 == 0
    even = of_misses(misses, Wilson())
    uneven = of_misses(misses, Wilson(), sample_weight=np.tile([1.0, 1, 1, 1, 9, 9, 9, 9], 5))
    assert uneven[1].error == pytest.approx(even[1].error)
    rows = (5 * 40) ** 2 / (20 + 20 * 81)  # Kish
    low, high = Wilson().proportion(np.array(0.25), np.array(rows))
    assert uneven[1].low == pytest.approx(float(low))
    assert uneven[1].high == pytest.approx(float(high))
    assert uneven[1].high - uneven[1].low > even[1].high - even[1].low


def test_clopper_pearson_brackets_ties():
    greater, equal = np.array([0] * 30 + [1] * 10 + [0] * 20), np.array([0] * 40 + [1] * 20)
    result = top_k_errors_from_counts(
        np.zeros(60, dtype=int), (greater, equal), n_classes=2, k=1, interval=ClopperPearson()
    )
    assert result[1].error == pytest.approx(20 / 60)
    assert result[1].low == pytest.approx(binomtest(10, 60).proportion_ci(method="exact").low)
    assert result[1].high == pytest.approx(binomtest(30, 60).proportion_ci(method="exact").high)


def coverage(draw, truth, repeats=400, pick="error"):
    """How often the interval of ``draw(generator)`` covers ``truth``."""
    generator = np.random.default_rng(0)
    names = {"error": ("low", "high"), "macro": ("macro_low", "macro_high")}[pick]
    covered = 0
    for _ in range(repeats):
        figures = draw(generator)[1]
        covered += getattr(figures, names[0]) <= truth <= getattr(figures, names[1])
    return covered / repeats


@pytest.mark.parametrize("truth", [0.02, 0.3])
def test_wilson_covers(truth):
    found = coverage(lambda generator: of_misses(generator.random(150) < truth, Wilson()), truth)
    assert 0.92 <= found <= 0.985


def test_clopper_pearson_covers_at_least_its_level():
    found = coverage(lambda generator: of_misses(generator.random(40) < 0.1, ClopperPearson()), 0.1)
    assert found >= 0.95


@pytest.mark.parametrize(
    ("rows_of_class", "errors"),
    [
        ([8] * 60, [0.05] * 60),  # many small classes
        ([400] * 9 + [15], [0.01] * 9 + [0.5]),  # the rare class is the hard one
        ([20, 50, 200, 30], [0.1, 0.4, 0.02, 0.7]),
        ([1] * 80, [0.2] * 80),  # one row each
    ],
)
def test_wilson_covers_the_macro_error(rows_of_class, errors):
    labels = np.repeat(np.arange(len(errors)), rows_of_class)
    chance = np.repeat(errors, rows_of_class)

    def draw(generator):
        misses = generator.random(len(labels)) < chance
        return of_misses(misses, Wilson(), labels=labels, n_classes=max(len(errors), 2))

    assert 0.92 <= coverage(draw, np.mean(errors), pick="macro") <= 0.99


def test_bootstrap_agrees_with_wilson_where_both_hold():
    misses = np.random.default_rng(3).random(2000) < 0.3
    labels = np.arange(2000) % 4
    mine = of_misses(misses, Bootstrap(resamples=4000, seed=1), labels=labels, n_classes=4)
    theirs = of_misses(misses, Wilson(), labels=labels, n_classes=4)
    for name in ("low", "high", "macro_low", "macro_high"):
        assert getattr(mine[1], name) == pytest.approx(getattr(theirs[1], name), abs=2e-3)
    np.testing.assert_allclose(mine.per_class.low, theirs.per_class.low, atol=6e-3)
    assert mine.method == "bootstrap"


def test_bootstrap_is_the_resampling_of_rows():
    """Against a plain bootstrap that draws row by row, with weights and ties."""
    generator = np.random.default_rng(5)
    labels, weights = generator.integers(0, 3, 90), generator.integers(1, 4, 90).astype(float)
    greater, equal = generator.integers(0, 2, 90), generator.integers(0, 2, 90)
    result = top_k_errors_from_counts(
        Rows(labels, sample_weight=weights), (greater, equal), n_classes=3, k=1, interval=Bootstrap(4000, seed=2)
    )
    miss = 1 - np.clip((1 - greater) / (equal + 1), 0, 1)
    errors, macros = [], []
    for _ in range(4000):
        drawn = generator.integers(0, 90, 90)
        chosen = np.bincount(labels[drawn], weights=(weights * miss)[drawn], minlength=3)
        mass = np.bincount(labels[drawn], weights=weights[drawn], minlength=3)
        errors.append(chosen.sum() / mass.sum())
        macros.append(np.mean(chosen / mass))
    assert [result[1].low, result[1].high] == pytest.approx(np.quantile(errors, [0.025, 0.975]), abs=8e-3)
    assert [result[1].macro_low, result[1].macro_high] == pytest.approx(np.quantile(macros, [0.025, 0.975]), abs=8e-3)


def test_bootstrap_is_reproducible_and_independent_of_the_order():
    generator = np.random.default_rng(5)
    misses, labels = generator.random(200) < 0.2, generator.integers(0, 3, 200)
    order = generator.permutation(200)
    first = of_misses(misses, Bootstrap(200, seed=7), labels=labels)
    again = of_misses(misses[order], Bootstrap(200, seed=7), labels=labels[order])
    other = of_misses(misses, Bootstrap(200, seed=8), labels=labels)
    assert first.as_dict() == again.as_dict()
    assert first.as_dict() != other.as_dict()


def test_cluster_bootstrap_covers_where_rows_are_not_independent():
    groups = np.repeat([f"patient {i}" for i in range(60)], 20)

    def draw(interval, **more):
        def one(generator):
            of_group = generator.beta(0.6, 1.4, 60)
            return of_misses(generator.random(1200) < np.repeat(of_group, 20), interval, **more)

        return one

    assert coverage(draw(Wilson()), 0.3, repeats=150) < 0.75
    assert coverage(draw(ClusterBootstrap(300), groups=groups), 0.3, repeats=150) >= 0.88


def test_cluster_bootstrap_is_the_resampling_of_groups():
    generator = np.random.default_rng(11)
    groups = generator.integers(0, 12, 100)
    misses = generator.random(100) < 0.3
    result = of_misses(misses, ClusterBootstrap(4000, seed=1), groups=groups)
    errors = []
    for _ in range(4000):
        times = np.bincount(generator.integers(0, 12, 12), minlength=12)[groups]
        errors.append((times * misses).sum() / times.sum())
    assert [result[1].low, result[1].high] == pytest.approx(np.quantile(errors, [0.025, 0.975]), abs=0.01)


@pytest.mark.parametrize("kind", [Wilson, ClopperPearson, Bootstrap, ClusterBootstrap])
@pytest.mark.parametrize("level", [0.0, 1.0, 95, -0.1, float("nan")])
def test_impossible_levels(kind, level):
    with pytest.raises(InputError, match="between 0 and 1"):
        kind(level=level)


def test_wrong_uses_of_groups_and_resamples():
    misses = np.arange(10) < 3
    with pytest.raises(InputError, match="needs to know the groups"):
        of_misses(misses, ClusterBootstrap())
    with pytest.raises(InputError, match="use ClusterBootstrap"):
        of_misses(misses, Bootstrap(), groups=np.arange(10))
    with pytest.raises(InputError, match="in one group"):
        of_misses(misses, ClusterBootstrap(), groups=np.zeros(10, dtype=int))
    with pytest.raises(InputError, match="resamples is 1"):
        Bootstrap(resamples=1)


@pytest.mark.parametrize("interval", [Wilson(), ClopperPearson(), Bootstrap(100)])
def test_every_figure_lies_in_its_interval(interval):
    generator = np.random.default_rng(0)
    labels, greater = generator.integers(0, 5, 60), generator.integers(0, 4, 60)
    equal = generator.integers(0, 2, 60)
    result = top_k_errors_from_counts(labels, (greater, equal), n_classes=6, k=(1, 2, 3), interval=interval)
    for k in (1, 2, 3):
        figures = result[k]
        assert figures.low <= figures.error <= figures.high
        assert figures.optimistic_low <= figures.optimistic <= figures.optimistic_high
        assert figures.pessimistic_low <= figures.pessimistic <= figures.pessimistic_high
        assert figures.macro_low <= figures.macro <= figures.macro_high
    present = result.class_rows > 0
    assert present.sum() == 5
    per_class = result.per_class
    assert (per_class.low[present] <= per_class.error[present] + 1e-12).all()
    assert (per_class.error[present] <= per_class.high[present] + 1e-12).all()
    assert np.isnan(per_class.low[5]).all()
    assert result.lower.ties <= result.ties <= result.upper.ties
