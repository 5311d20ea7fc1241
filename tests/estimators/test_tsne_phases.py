"""The course of a map: exaggeration early, late and in between, going on, and its divergence."""

import pickle

import numpy as np
import pytest
from openTSNE.kl_divergence import kl_divergence_exact
from sklearn.datasets import load_digits, load_iris

from gradus.core.errors import InputError
from gradus.estimators import TSNE
from gradus.estimators.tsne_phases import phases_from_start, phases_that_continue

IRIS = load_iris().data


def plan(**parameters):
    return [
        (phase.iterations, phase.exaggeration, phase.learning_rate)
        for phase in phases_from_start(*parameters_of(**parameters))
    ]


def parameters_of(samples=1200, **parameters):
    return TSNE(**parameters), samples


def test_the_phases_and_their_automatic_rates():
    assert plan() == [(100, 12.0, 100.0), (50, 1.0, 1200.0), (50, 1.0, 1200.0), (150, 1.0, 1200.0)]
    assert plan(max_iter=100) == [(100, 12.0, 100.0)]
    assert plan(max_iter=0) == []
    assert plan(early_exaggeration_iter=0, late_exaggeration=4.0, max_iter=70) == [(50, 4.0, 300.0), (20, 4.0, 300.0)]
    assert plan(learning_rate=50.0, max_iter=130) == [(100, 12.0, 50.0), (30, 1.0, 50.0)]
    assert [phase.momentum for phase in phases_from_start(*parameters_of())] == [0.8, 0.8, 0.9, 0.98]
    assert [(p.iterations, p.exaggeration) for p in phases_that_continue(TSNE(late_exaggeration=2.0), 1200, 30)] == [
        (30, 2.0)
    ]


def test_annealing_falls_on_a_line_and_all_iterations_are_spent():
    phases = plan(max_iter=400, early_exaggeration_iter=100, annealing_iter=95, late_exaggeration=2.0)
    assert sum(iterations for iterations, _, _ in phases) == 400
    exaggerations = [exaggeration for _, exaggeration, _ in phases]
    assert exaggerations[0] == 12.0 and exaggerations[-1] == 2.0
    steps = np.diff([exaggeration for exaggeration in exaggerations[1:-1] if exaggeration > 2.5])
    np.testing.assert_allclose(steps, steps[0])
    assert (np.diff(exaggerations) <= 0).all()
    for iterations, exaggeration, rate in phases:
        assert iterations > 0 and rate == pytest.approx(1200 / exaggeration)
    assert sum(plan(max_iter=120, early_exaggeration_iter=100, annealing_iter=95)[i][0] for i in range(3)) == 120


def test_late_exaggeration_tightens_clusters():
    digits, labels = load_digits(return_X_y=True)
    digits, labels = digits[:500], labels[:500]

    def tightness(late):
        found = TSNE(late_exaggeration=late).fit_transform(digits)
        within = np.mean([found[labels == label].std(0).mean() for label in range(10)])
        return within / found.std(0).mean()

    assert tightness(4.0) < 0.9 * tightness(1.0)


def test_a_map_goes_on_from_where_it_is():
    whole = TSNE(max_iter=300, random_state=0).fit(IRIS)
    before, divergence = whole.embedding_.copy(), whole.kl_divergence_
    seen = []
    whole.set_params(callback=lambda *told: seen.append(told[0]), callback_every=1)
    assert whole.continue_fit(2) is whole
    assert np.linalg.norm(whole.embedding_ - before, axis=1).max() < 0.2 * np.ptp(before)
    assert seen == [1, 2]
    assert whole.n_iter_ == 302
    assert whole.set_params(callback=None).continue_fit(400).kl_divergence_ < divergence


def test_a_map_can_go_on_after_a_pickle_under_other_settings():
    fitted = pickle.loads(pickle.dumps(TSNE(max_iter=300).fit(IRIS)))
    setosa = slice(50)
    spread = fitted.embedding_[setosa].std(0).mean()
    fitted.set_params(late_exaggeration=6.0).continue_fit(200)
    assert fitted.embedding_[setosa].std(0).mean() < 0.8 * spread
    with pytest.raises(InputError, match="max_iter is 0"):
        fitted.continue_fit(0)
    with pytest.raises(InputError, match="dof is -1"):
        fitted.set_params(dof=-1).continue_fit(10)


def test_affinities_draw_another_map_of_the_same_neighbours():
    first = TSNE(max_iter=400).fit(IRIS)
    second = TSNE(metric="precomputed_affinities", init=first.embedding_, dof=0.5, max_iter=400).fit(first.affinities_)
    assert abs(first.affinities_ - second.affinities_).max() < 1e-8
    assert np.ptp(second.embedding_) > np.ptp(first.embedding_)


def test_the_start_can_be_looked_at():
    tsne = TSNE(max_iter=0, init="spectral").fit(IRIS)
    assert tsne.embedding_.std(0).max() == pytest.approx(1e-4, rel=0.01)
    assert tsne.n_iter_ == 0
    assert tsne.continue_fit(100).n_iter_ == 100


def test_the_callback_is_called_as_often_as_asked():
    seen = []
    TSNE(max_iter=100, callback=lambda iteration, *_: seen.append(iteration), callback_every=30).fit(IRIS)
    assert seen == [30, 60, 90]
    with pytest.raises(InputError, match="callback_every is 0"):
        TSNE(callback_every=0).fit(IRIS)


@pytest.mark.parametrize("dof", [0.05, 0.5, 1.0, 2.0, 10.0, 1000.0])
def test_the_divergence_is_never_negative_and_is_the_exact_one(dof):
    tsne = TSNE(dof=dof, max_iter=500).fit(IRIS)
    assert tsne.kl_divergence_ >= 0
    distances = ((tsne.embedding_[:, None].astype(np.float64) - tsne.embedding_) ** 2).sum(2)
    w = (1 + distances / dof) ** -dof
    np.fill_diagonal(w, 0)
    p = tsne.affinities_.toarray().astype(np.float64)
    edge = p > 0
    expected = (p[edge] * np.log(p[edge] / (w / w.sum())[edge])).sum()
    assert tsne.kl_divergence_ == pytest.approx(expected, abs=1e-5)
    if dof == 1.0:
        peers = kl_divergence_exact(p, tsne.embedding_.astype(np.float64))
        assert tsne.kl_divergence_ == pytest.approx(peers, abs=1e-4)
