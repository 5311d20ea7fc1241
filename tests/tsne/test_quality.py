import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from gradus.tsne import METRICS, Manhattan, MeasuredSearch, Searchable, map_quality, quality

JUDGE = Path(__file__).parents[3] / "shared" / "tools" / "embedding_quality.py"
DIGITS = load_digits().data[:1200].astype(np.float64)
MAPS = {
    "components": PCA(2, random_state=0).fit_transform(DIGITS),
    "noise": np.random.default_rng(0).normal(size=(len(DIGITS), 2)),
    "a line": PCA(1, random_state=0).fit_transform(DIGITS),
}


def euclidean(rows):
    return Searchable.of(torch.as_tensor(rows), METRICS["euclidean"])


def manhattan(rows):
    return MeasuredSearch.of(np.asarray(rows), Manhattan())


def recall_of(rows, points, count, metric="minkowski"):
    """Return the share of common neighbours by scikit-learn."""
    found = [
        NearestNeighbors(n_neighbors=count, metric=name).fit(given).kneighbors(return_distance=False)
        for given, name in ((rows, metric), (points, "minkowski"))
    ]
    return np.mean([len(set(a) & set(b)) / count for a, b in zip(*found, strict=True)])


@pytest.mark.parametrize("name", MAPS)
@pytest.mark.parametrize(("search", "metric"), [(euclidean, "euclidean"), (manhattan, "manhattan")])
def test_recall_is_that_of_scikit_learn_s_neighbours(name, search, metric):
    rows = DIGITS + np.random.default_rng(1).normal(size=DIGITS.shape) * 1e-3  # no ties
    found = map_quality(rows, torch.from_numpy(MAPS[name]), search)
    assert found.rows == len(DIGITS)
    for count in (10, 50):
        assert found.recall[count] == pytest.approx(recall_of(rows, MAPS[name], count, metric), abs=1e-4)


def test_the_rank_correlation_is_that_of_scipy_over_the_same_rows():
    points = MAPS["components"]
    found = map_quality(DIGITS[:900], torch.from_numpy(points[:900]), euclidean).rank_correlation
    assert found == pytest.approx(spearmanr(pdist(DIGITS[:900]), pdist(points[:900])).statistic, abs=1e-4)
    cities = map_quality(DIGITS[:900], torch.from_numpy(points[:900]), manhattan).rank_correlation
    expected = spearmanr(pdist(DIGITS[:900], "cityblock"), pdist(points[:900])).statistic
    assert cities == pytest.approx(expected, abs=1e-4)  # equal distances differ in rounding


def test_a_sample_of_rows_stands_for_all(monkeypatch):
    whole = map_quality(DIGITS, torch.from_numpy(MAPS["components"]), euclidean)
    monkeypatch.setattr(quality, "ROWS_FOR_RECALL", 700)
    monkeypatch.setattr(quality, "ROWS_FOR_RANKS", 400)
    part = map_quality(DIGITS, torch.from_numpy(MAPS["components"]), euclidean)
    assert part.rows == 700
    assert part.recall[10] == pytest.approx(whole.recall[10], abs=0.02)
    assert part.rank_correlation == pytest.approx(whole.rank_correlation, abs=0.05)
    assert part == map_quality(DIGITS, torch.from_numpy(MAPS["components"]), euclidean)


@pytest.mark.skipif(not JUDGE.is_file(), reason="the judge of embeddings is not here")
@pytest.mark.parametrize("name", ["components", "noise"])
def test_the_figures_are_those_of_the_judge(name):
    specification = importlib.util.spec_from_file_location("judge", JUDGE)
    judge = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(judge)
    rng = np.random.default_rng(0)
    recall = judge.recall_at_10(DIGITS, MAPS[name], rng)
    rank = judge.distance_spearman(DIGITS, MAPS[name], rng)
    found = map_quality(DIGITS, torch.from_numpy(MAPS[name]), euclidean)
    assert found.recall[10] == pytest.approx(recall, abs=2e-3)  # equal distances are told apart differently
    assert found.rank_correlation == pytest.approx(rank, abs=0.03)  # of other thousand rows


def test_maps_are_ordered_as_by_trustworthiness():
    found = {name: map_quality(DIGITS, torch.from_numpy(points), euclidean).recall[10] for name, points in MAPS.items()}
    trust = {name: trustworthiness(DIGITS, points, n_neighbors=10) for name, points in MAPS.items()}
    assert sorted(found, key=found.get) == sorted(trust, key=trust.get) == ["noise", "a line", "components"]


def test_chance_and_perfection():
    rows = np.random.default_rng(0).normal(size=(1000, 2))
    same = map_quality(rows, torch.from_numpy(-2 * rows), euclidean)
    assert same.recall == {10: 1.0, 50: 1.0} and same.rank_correlation == pytest.approx(1)
    other = map_quality(rows, torch.from_numpy(np.random.default_rng(1).normal(size=(1000, 2))), euclidean)
    assert other.recall[50] == pytest.approx(50 / 999, abs=0.01)
    assert abs(other.rank_correlation) < 0.05


@pytest.mark.parametrize("samples", [2, 3, 12, 60])
def test_few_rows_have_fewer_figures(samples):
    rows = np.random.default_rng(0).normal(size=(samples, 3))
    found = map_quality(rows, torch.from_numpy(rows[:, :2]), euclidean)
    assert set(found.recall) == {count for count in (10, 50) if count < samples - 1}
    assert np.isnan(found.rank_correlation) == (samples == 2)


def test_equal_rows_give_no_correlation_and_a_recall_between_0_and_1():
    found = map_quality(np.ones((80, 3)), torch.from_numpy(np.random.default_rng(0).normal(size=(80, 2))), euclidean)
    assert np.isnan(found.rank_correlation)
    assert 0 <= found.recall[10] <= 1
