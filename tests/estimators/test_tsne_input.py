"""What TSNE is given: dense and sparse rows, metrics, distances and graphs that were computed elsewhere."""

import numpy as np
import pytest
from scipy import sparse
from scipy.spatial.distance import cdist, pdist
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from sklearn.neighbors import kneighbors_graph
from sklearn.utils.estimator_checks import parametrize_with_checks

from gradus.core.errors import InputError
from gradus.estimators import TSNE

DATA = load_digits().data[:400]
NEW = load_digits().data[400:420]


def manhattan(x, y):
    return float(np.abs(x - y).sum())


@parametrize_with_checks(
    [
        TSNE(metric="precomputed", perplexity=2, init="random", max_iter=30),
        TSNE(metric="manhattan", perplexity=[2, 3], init="spectral", max_iter=30),
    ]
)
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation", "manhattan"])
def test_sparse_rows_are_mapped_and_placed_like_dense_ones(metric):
    dense = TSNE(metric=metric, max_iter=300).fit(DATA)
    thin = TSNE(metric=metric, max_iter=300).fit(sparse.csr_matrix(DATA))
    assert abs(dense.affinities_ - thin.affinities_).max() < 1e-5
    assert trustworthiness(DATA, thin.embedding_, n_neighbors=10, metric=metric) > 0.97
    placed = thin.set_params(n_jobs=1).transform(sparse.csr_array(NEW))
    near = cdist(NEW, DATA, "cityblock" if metric == "manhattan" else metric).argsort(1)[:, :5]
    apart = np.linalg.norm(placed[:, None] - thin.embedding_[near], axis=2)
    assert np.median(apart) < 0.2 * np.ptp(thin.embedding_)
    alone = thin.transform(sparse.csr_array(NEW[3:4]))
    np.testing.assert_array_equal(alone[0], placed[3])


def test_many_columns_are_never_made_dense():
    generator = np.random.default_rng(0)
    wide = sparse.random_array((300, 50_000_000), density=1e-6, rng=generator, format="csr")  # dense: 120 GB
    found = TSNE(perplexity=10, max_iter=50).fit(wide)
    assert np.isfinite(found.embedding_).all()


@pytest.mark.parametrize("metric", ["chebyshev", "manhattan", manhattan])
def test_metrics_that_are_measured_pair_by_pair(metric):
    found = TSNE(metric=metric, max_iter=300).fit(DATA[:200])
    assert trustworthiness(DATA[:200], found.embedding_, n_neighbors=10, metric=metric) > 0.93
    np.testing.assert_array_equal(found.transform(DATA[:20]), found.embedding_[:20])


def test_a_function_gives_the_map_of_the_metric_it_computes():
    maps = [TSNE(metric=metric, max_iter=100).fit_transform(DATA[:120]) for metric in ("manhattan", manhattan)]
    np.testing.assert_allclose(maps[0], maps[1], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("metric", ["euclidean", "cityblock"])
def test_all_distances_give_the_map_and_the_places_that_the_rows_give(metric):
    named = {"cityblock": "manhattan"}.get(metric, metric)
    start = np.random.default_rng(0).normal(size=(400, 2))
    by_rows = TSNE(metric=named, init=start, max_iter=150).fit(DATA)
    by_distances = TSNE(metric="precomputed", init=start, max_iter=150).fit(cdist(DATA, DATA, metric))
    assert abs(by_rows.affinities_ - by_distances.affinities_).max() < 1e-5
    by_distances.embedding_ = by_rows.embedding_.copy()  # so that the places can be compared
    placed = by_distances.transform(cdist(NEW, DATA, metric))
    apart = np.linalg.norm(placed - by_rows.transform(NEW), axis=1)
    assert np.quantile(apart, 0.9) < 1e-2 * np.ptp(by_rows.embedding_)
    np.testing.assert_array_equal(by_distances.transform(cdist(NEW[2:3], DATA, metric))[0], placed[2])


def test_all_distances_begin_at_the_principal_components_of_the_rows():
    starts = [
        TSNE(max_iter=0).fit_transform(DATA),
        TSNE(metric="precomputed", max_iter=0).fit_transform(cdist(DATA, DATA)),
    ]
    for axis in range(2):
        assert abs(np.corrcoef(starts[0][:, axis], starts[1][:, axis])[0, 1]) > 0.9999


def test_a_graph_of_distances_and_one_of_affinities_give_maps_of_the_rows():
    graph = kneighbors_graph(DATA, 90, mode="distance")
    by_distances = TSNE(metric="precomputed", init="spectral", max_iter=400).fit(graph)
    assert trustworthiness(DATA, by_distances.embedding_, n_neighbors=10) > 0.98
    expected = TSNE(max_iter=0).fit(DATA).affinities_
    assert abs(by_distances.affinities_ - expected).max() < 1e-5
    by_affinities = TSNE(metric="precomputed_affinities", init="spectral", max_iter=400).fit(expected)
    assert abs(by_affinities.affinities_ - expected).max() < 1e-9
    assert trustworthiness(DATA, by_affinities.embedding_, n_neighbors=10) > 0.98
    towards = sparse.csr_array(np.exp(-((cdist(NEW, DATA) / 10) ** 2)))
    placed = by_affinities.transform(towards)
    np.testing.assert_array_equal(by_affinities.transform(towards[3:4])[0], placed[3])
    nearest = cdist(NEW, DATA).argsort(1)[:, :3]
    apart = np.linalg.norm(placed - np.median(by_affinities.embedding_[nearest], axis=1), axis=1)
    assert np.median(apart) < 0.1 * np.ptp(by_affinities.embedding_)


def test_uniform_weights_on_a_graph_of_distances_need_no_perplexity():
    rows = DATA + np.random.default_rng(0).normal(size=DATA.shape) * 1e-3  # no ties
    graph = kneighbors_graph(rows, 14, mode="distance")
    with pytest.raises(InputError, match="n_neighbors=14"):
        TSNE(metric="precomputed", init="spectral").fit(graph)
    found = TSNE(metric="precomputed", init="spectral", n_neighbors=14, max_iter=0).fit(graph)
    expected = TSNE(n_neighbors=14, max_iter=0).fit(rows)
    assert abs(found.affinities_ - expected.affinities_).max() < 1e-9


def test_several_perplexities_keep_more_of_the_whole():
    def rank_correlation(perplexity):
        found = TSNE(perplexity=perplexity, init="random", random_state=0, max_iter=500).fit_transform(DATA)
        return spearmanr(pdist(DATA), pdist(found)).statistic

    assert rank_correlation([5, 60]) > rank_correlation(5) + 0.05


@pytest.mark.parametrize("init", ["spectral", "random"])
@pytest.mark.parametrize(
    "given",
    [
        {"metric": "manhattan", "X": np.ones((60, 3))},
        {"metric": "precomputed", "X": np.zeros((60, 60))},
        {"metric": "precomputed", "X": cdist(DATA[:60], DATA[:60]) * 1e200},
        {"metric": "precomputed", "X": cdist(DATA[:60], DATA[:60]) * 1e-200},
        {"metric": "euclidean", "X": sparse.csr_array((60, 5))},
        {"metric": "cosine", "X": sparse.csr_array(np.repeat(np.eye(6), 10, 0))},
        {"metric": "precomputed_affinities", "X": sparse.csr_array(np.kron(np.eye(6), np.ones((10, 10))))},
    ],
    ids=[
        "equal manhattan",
        "all at 0",
        "huge distances",
        "tiny distances",
        "no entries",
        "few directions",
        "six parts",
    ],
)
def test_hostile_input_gives_a_finite_map_that_has_not_collapsed(given, init):
    tsne = TSNE(perplexity=8, metric=given["metric"], init=init, random_state=0, max_iter=400).fit(given["X"])
    assert np.isfinite(tsne.embedding_).all() and np.isfinite(tsne.kl_divergence_)
    assert np.ptp(tsne.embedding_, axis=0).min() > 1e-2
    assert np.abs(tsne.embedding_).max() < 1e4


@pytest.mark.parametrize(
    ("parameters", "X", "words"),
    [
        ({"metric": "precomputed"}, DATA[:80], "square distance matrix"),
        ({"metric": "precomputed"}, kneighbors_graph(DATA, 90, mode="distance"), 'init="spectral"'),
        ({"metric": "precomputed_affinities"}, kneighbors_graph(DATA, 5), 'init="spectral"'),
        ({"metric": "precomputed_affinities", "n_neighbors": 5}, kneighbors_graph(DATA, 5), "leave out n_neighbors"),
        ({"metric": manhattan}, sparse.csr_array(DATA), "takes dense rows"),
        ({"metric": "chebyshev"}, sparse.csr_array(DATA), "takes dense rows"),
        ({"metric": "manhatan"}, DATA, "did you mean 'manhattan'"),
        ({"metric": lambda x, y: -1.0}, DATA[:100], "the metric given returned -1"),
        ({"sigma": 0.0}, DATA, "sigma is 0.0"),
        ({"sigma": 1.0, "n_neighbors": 400}, DATA, "give 1 to 399"),
        ({"perplexity": []}, DATA, "empty"),
        ({"perplexity": [30, 200]}, DATA, "give at most 133"),
        ({"perplexity": [30, "40"]}, DATA, "perplexity is '40'"),
    ],
)
def test_what_does_not_fit_together_is_refused_in_words(parameters, X, words):
    with pytest.raises(InputError, match=words):
        TSNE(**parameters).fit(X)


def test_distances_of_new_rows_must_be_to_all_rows_of_the_map():
    fitted = TSNE(metric="precomputed", max_iter=10, perplexity=5).fit(cdist(DATA[:50], DATA[:50]))
    with pytest.raises(ValueError, match="50 features"):
        fitted.transform(cdist(NEW, DATA[:49]))
    with pytest.raises(InputError, match="positive or 0"):
        fitted.transform(-cdist(NEW, DATA[:50]))
