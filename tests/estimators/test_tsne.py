import pickle
import threading

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.manifold import trustworthiness
from sklearn.utils.estimator_checks import parametrize_with_checks

from gradus.core.errors import InputError
from gradus.estimators import TSNE


@parametrize_with_checks([TSNE(perplexity=2, max_iter=100), TSNE(n_neighbors=3, max_iter=60, init="random")])
def test_scikit_learn_accepts_it(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def digits():
    data, labels = load_digits(return_X_y=True)
    return data, labels, TSNE(random_state=0).fit(data)


def test_the_map_of_digits_keeps_neighbours(digits):
    data, _, tsne = digits
    assert tsne.embedding_.dtype == np.float32
    assert tsne.n_iter_ == 350
    assert tsne.kl_divergence_ < 0.735  # openTSNE reaches 0.74
    assert trustworthiness(data, tsne.embedding_, n_neighbors=10) > 0.985


def test_new_rows_land_among_their_own(digits):
    data, labels, _ = digits
    tsne = TSNE(random_state=0).fit(data[:1500])
    placed = tsne.transform(data[1500:])
    distances = ((placed[:, None] - tsne.embedding_[None]) ** 2).sum(2)
    nearest = labels[:1500][distances.argsort(1)[:, :5]]
    votes = np.array([np.bincount(row, minlength=10).argmax() for row in nearest])
    assert (votes == labels[1500:]).mean() > 0.9
    alone = np.concatenate([tsne.transform(row[None]) for row in data[1500:1510]])
    np.testing.assert_array_equal(alone, placed[:10])


def test_a_fitted_row_gets_its_place_and_one_beside_it_lands_beside_it(digits):
    data, _, tsne = digits
    np.testing.assert_array_equal(tsne.transform(data[:200]), tsne.embedding_[:200])
    distance = np.linalg.norm(tsne.transform(data[:200] + 1e-3) - tsne.embedding_[:200], axis=1)
    assert np.median(distance) < 1


@pytest.mark.parametrize("init", ["pca", "random"])
@pytest.mark.parametrize("samples", [300, 9000])
def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(init, samples):
    data = np.random.default_rng(0).normal(size=(samples, 12))
    maps = [TSNE(init=init, n_neighbors=6, random_state=3, max_iter=60, n_jobs=jobs).fit(data) for jobs in (1, 2, None)]
    for other in maps[1:]:
        np.testing.assert_array_equal(other.embedding_, maps[0].embedding_)
        assert other.kl_divergence_ == maps[0].kl_divergence_


def test_another_seed_gives_another_random_start():
    data = load_iris().data
    first, second = (TSNE(init="random", random_state=seed, max_iter=50).fit_transform(data) for seed in (0, 1))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("components", [1, 2, 3])
@pytest.mark.parametrize("dof", [0.5, 1.0, 5.0])
def test_components_and_degrees_of_freedom(components, dof):
    data = load_iris().data
    tsne = TSNE(n_components=components, dof=dof, max_iter=300).fit(data)
    assert tsne.embedding_.shape == (150, components)
    assert tsne.transform(data[:7]).shape == (7, components)
    assert trustworthiness(data, tsne.embedding_, n_neighbors=10) > 0.93


@pytest.mark.parametrize("components", [1, 2])
def test_large_maps_through_the_grid(components):
    data = np.random.default_rng(0).normal(size=(8000, 5)) + 9 * np.repeat(np.eye(5), 1600, 0)
    tsne = TSNE(n_components=components, n_neighbors=10, max_iter=300).fit(data)
    assert trustworthiness(data[::8], tsne.embedding_[::8], n_neighbors=10) > 0.8
    assert np.isfinite(tsne.transform(data[:50])).all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine", "correlation"])
def test_metrics(metric):
    data = load_digits().data[:400]
    embedding = TSNE(metric=metric, max_iter=400).fit_transform(data)
    assert trustworthiness(data, embedding, n_neighbors=10, metric=metric) > 0.96


def outlier():
    data = np.random.default_rng(0).normal(size=(100, 4))
    data[3] = 1e12
    return data


HOSTILE = {
    "equal rows": np.ones((50, 3)),
    "zeros": np.zeros((50, 3)),
    "duplicates": np.repeat(np.random.default_rng(0).normal(size=(5, 3)), 12, axis=0),
    "one outlier": outlier(),
    "tiny": np.random.default_rng(0).normal(size=(60, 3)) * 1e-20,
    "huge": np.random.default_rng(0).normal(size=(60, 3)) * 1e20,
    "one feature": np.random.default_rng(0).normal(size=(60, 1)),
    "float32 range": (np.random.default_rng(0).normal(size=(60, 3)) * 1e37).astype(np.float32),
    "constant but one": np.eye(50)[:, :1] * np.ones((1, 3)),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("init", ["pca", "random"])
def test_hostile_data_gives_a_finite_map_that_has_not_collapsed(data, init):
    tsne = TSNE(perplexity=8, init=init, random_state=0).fit(data)
    assert np.isfinite(tsne.embedding_).all()
    assert np.isfinite(tsne.kl_divergence_)
    assert np.ptp(tsne.embedding_, axis=0).min() > 1e-2
    assert np.abs(tsne.embedding_).max() < 1e4
    assert np.isfinite(tsne.transform(data[:3])).all()


@pytest.mark.parametrize("samples", [2, 3, 4])
def test_the_smallest_data(samples):
    data = np.random.default_rng(0).normal(size=(samples, 5))
    embedding = TSNE(n_neighbors=1, max_iter=300).fit_transform(data)
    assert np.isfinite(embedding).all()
    assert len(np.unique(embedding, axis=0)) == samples


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({"perplexity": 60}, "give at most 49.6"),
        ({"perplexity": 0.2}, "at least 1"),
        ({"perplexity": "30"}, "perplexity is '30'"),
        ({"n_neighbors": 150}, "give 1 to 149"),
        ({"n_neighbors": 2.5}, "n_neighbors is 2.5"),
        ({"n_components": 4}, "n_components is 4"),
        ({"metric": "manhatan"}, "metric is 'manhatan'"),
        ({"init": "pcs"}, "did you mean 'pca'"),
        ({"init": np.zeros((3, 2))}, r"init has shape \(3, 2\)"),
        ({"init": np.full((150, 2), np.nan)}, "NaN"),
        ({"learning_rate": "fast"}, "learning_rate is 'fast'"),
        ({"learning_rate": -1.0}, "learning_rate is -1.0"),
        ({"early_exaggeration": 0}, "early_exaggeration is 0"),
        ({"max_iter": -1}, "max_iter is -1"),
        ({"dof": 0}, "dof is 0"),
        ({"dof": float("inf")}, "dof is inf"),
        ({"n_jobs": 0}, "n_jobs is 0"),
    ],
)
def test_wrong_parameters_are_refused_in_words(parameters, words):
    with pytest.raises(InputError, match=words):
        TSNE(**parameters).fit(load_iris().data)


def test_nan_is_refused():
    with pytest.raises(ValueError, match="NaN"):
        TSNE().fit(np.full((100, 3), np.nan))


def test_a_given_start_is_used_and_not_changed():
    start = np.random.default_rng(0).normal(size=(150, 2))
    kept = start.copy()
    found = TSNE(init=start, max_iter=1, learning_rate=1e-9).fit_transform(load_iris().data)
    np.testing.assert_array_equal(start, kept)
    expected = (start - start.mean(0)) * 1e-4 / start.std(0).max()
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_the_callback_sees_the_map_and_stops_it():
    seen = []

    def watch(iteration, divergence, embedding):
        seen.append((iteration, divergence, embedding.shape))
        return iteration == 100

    tsne = TSNE(callback=watch).fit(load_iris().data)
    assert [(iteration, shape) for iteration, _, shape in seen] == [(50, (150, 2)), (100, (150, 2))]
    assert tsne.n_iter_ == 100
    assert tsne.kl_divergence_ == pytest.approx(seen[-1][1])


def test_verbose_writes_to_stderr_and_silence_is_the_default(capsys):
    TSNE(max_iter=10).fit(load_iris().data)
    assert capsys.readouterr() == ("", "")
    TSNE(max_iter=10, verbose=1).fit(load_iris().data)
    told = capsys.readouterr()
    assert told.out == ""
    assert "nearest neighbours" in told.err
    assert "t-SNE" in told.err


def test_pickle_and_clone():
    tsne = TSNE(max_iter=60, perplexity=10).fit(load_iris().data)
    again = pickle.loads(pickle.dumps(tsne))
    np.testing.assert_array_equal(again.transform(load_iris().data[:5]), tsne.transform(load_iris().data[:5]))
    assert clone(tsne).get_params() == tsne.get_params()


def test_pandas_output():
    frame = TSNE(max_iter=20).set_output(transform="pandas").fit_transform(load_iris().data)
    assert list(frame.columns) == ["tsne0", "tsne1"]


def test_two_fits_at_once_do_not_disturb_each_other():
    data = load_iris().data
    alone = TSNE(max_iter=60).fit_transform(data)
    found = {}

    def fit(name):
        found[name] = TSNE(max_iter=60).fit_transform(data)

    workers = [threading.Thread(target=fit, args=(name,)) for name in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for embedding in found.values():
        np.testing.assert_array_equal(embedding, alone)


def test_rows_on_a_device_are_mapped_in_memory(device):
    data = load_iris().data
    there = torch.from_numpy(data).to(device)
    start = torch.from_numpy(data[:, :2].copy())
    found = TSNE(perplexity=20, max_iter=60, init=start.to(device)).fit(there)
    here = TSNE(perplexity=20, max_iter=60, init=data[:, :2]).fit(data)
    assert np.array_equal(found.embedding_, here.embedding_)
    assert np.array_equal(found.transform(there[:3]), here.transform(data[:3]))
