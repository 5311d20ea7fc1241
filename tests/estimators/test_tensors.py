"""Torch tensors given to SoftmaxRegression: fitted where they lie, and answered with tensors there."""

import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from gradus import SoftmaxRegression, SoftmaxRegressionCV
from gradus.core.errors import InputError
from gradus.estimators.tensors import as_array
from gradus.penalties import L1, L2, GroupLasso, Nuclear, Sum
from gradus.solvers import checkpoint

DIGITS, CODES = load_digits(return_X_y=True)
X, Y = (DIGITS[:500] / 16).astype(np.float32), CODES[:500]

SETTINGS = {
    "Newton-CG": {"alpha": 1e-3},
    "L-BFGS": {"alpha": 1e-3, "solver": "lbfgs"},
    "no intercept": {"alpha": 1e-3, "fit_intercept": False, "temperature": 0.5, "class_weight": "balanced"},
    "proximal Newton": {"alpha": 2e-3, "l1_ratio": 1.0},
    "elastic net": {"alpha": 2e-3, "l1_ratio": 0.5},
    "group lasso": {"penalty": GroupLasso(5e-3)},
    "FISTA": {"penalty": Nuclear(1e-2), "tol": 1e-2},
    "Davis-Yin": {"penalty": Sum([L1(5e-3), L2(5e-3)]), "tol": 1e-2},
    "primal-dual": {"alpha": 2e-2, "l1_ratio": 1.0, "solver": "primal-dual", "tol": 1e-2},
}


def on(device, array):
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_a_fit_on_a_device_is_that_of_the_processor(settings, device):
    found = SoftmaxRegression(**settings).fit(on(device, X), on(device, Y))
    here = SoftmaxRegression(**settings).fit(X, Y)
    assert found.status_ == "converged"
    assert (
        abs(found.objective_ - here.objective_) <= (1e-6 + found.relative_gap_ + here.relative_gap_) * here.objective_
    )
    assert isinstance(found.coef_, np.ndarray)
    probabilities = found.predict_proba(on(device, X))
    assert probabilities.device == device
    assert np.abs(probabilities.cpu().numpy() - found.predict_proba(X)).max() < 1e-5
    assert found.score(on(device, X), on(device, Y)) == found.score(X, Y)


def test_the_certificate_of_a_device_holds_against_a_peer(device):
    found = SoftmaxRegression(alpha=1e-2, tol=1e-8).fit(on(device, X.astype(np.float64)), Y)
    peer = LogisticRegression(C=1 / (1e-2 * len(Y)), tol=1e-10, max_iter=10_000).fit(X.astype(np.float64), Y)
    assert np.abs(found.coef_ - peer.coef_).max() < 1e-3
    assert found.relative_gap_ <= 1e-8


def test_many_classes_and_a_path_on_a_device(device):
    generator = np.random.default_rng(0)
    codes = generator.permutation(np.arange(1200) % 80)
    rows = (generator.standard_normal((80, 40))[codes] + generator.standard_normal((1200, 40))).astype(np.float32)
    settings = {"alphas": 5, "validation": 0.3, "random_state": 0, "keep_path": True}
    found = SoftmaxRegressionCV(**settings).fit(on(device, rows), on(device, codes))
    here = SoftmaxRegressionCV(**settings).fit(rows, codes)
    assert found.results_.converged.all()
    assert np.isclose(found.alpha_, here.alpha_, rtol=1e-5)
    assert np.abs(found.results_.cross_entropy - here.results_.cross_entropy).max() < 1e-2
    assert found.predict(on(device, rows)).device == device
    assert isinstance(found.results_.coefficients, np.ndarray)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16, torch.uint8, torch.int32])
def test_every_type_is_computed_with_as_the_numbers_stored(dtype, device):
    given = torch.from_numpy(DIGITS[:500]).to(dtype)
    found, here = (SoftmaxRegression(alpha=1e-1).fit(rows, Y) for rows in (given.to(device), given.double().numpy()))
    assert abs(found.objective_ - here.objective_) <= 2e-4 * here.objective_
    wide = dtype in (torch.float64, torch.int32)
    assert found.predict_proba(given.to(device)).dtype == (torch.float64 if wide else torch.float32)
    assert isinstance(SoftmaxRegression(alpha=1e-1).fit(given, Y).predict(given), torch.Tensor)


def test_labels_and_weights_may_be_anywhere(device):
    names = np.array(list("abcdefghij"))[Y]
    model = SoftmaxRegression(alpha=1e-2).fit(on(device, X), names)
    assert model.predict(on(device, X)).tolist() == model.predict(X).tolist()
    assert model.score(on(device, X), names) > 0.9
    teacher = model.predict_proba(on(device, X))
    student = SoftmaxRegression(alpha=1e-2).fit(on(device, X), teacher, sample_weight=torch.ones(len(X)).to(device))
    assert student.status_ == "converged"
    assert student.predict(on(device, X)).dtype == torch.int64
    weighted = SoftmaxRegression(alpha=1e-2).fit(X, on(device, Y), sample_weight=torch.ones(len(X)).to(device))
    assert isinstance(weighted.predict(X), np.ndarray)


def test_a_warm_start_and_sparse_coefficients_on_a_device(device):
    model = SoftmaxRegression(alpha=2e-3, l1_ratio=1.0, warm_start=True).fit(on(device, X), Y)
    expected = model.predict_proba(on(device, X))
    assert model.fit(on(device, X), Y).n_iter_ == 0
    assert torch.equal(model.sparsify().predict_proba(on(device, X)), expected)


def test_a_fit_on_a_device_goes_on_from_its_checkpoint(device, tmp_path, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    kept = checkpoint.Checkpoint.keep

    def killed(self, state):
        kept(self, state)
        if self.iterations == 5:
            raise KeyboardInterrupt

    settings = {"alpha": 1e-3, "solver": "lbfgs"}
    whole = SoftmaxRegression(**settings, checkpoint=tmp_path / "whole").fit(on(device, X), Y)
    monkeypatch.setattr(checkpoint.Checkpoint, "keep", killed)
    with pytest.raises(KeyboardInterrupt):
        SoftmaxRegression(**settings, checkpoint=tmp_path / "fit").fit(on(device, X), Y)
    monkeypatch.setattr(checkpoint.Checkpoint, "keep", kept)
    again = SoftmaxRegression(**settings, checkpoint=tmp_path / "fit").fit(on(device, X), Y)
    assert again.n_iter_ == whole.n_iter_
    assert np.array_equal(again.coef_, whole.coef_)


@pytest.mark.parametrize(
    ("fit", "words"),
    [
        (lambda rows: SoftmaxRegression(l1_ratio=1.0, solver="coordinate-descent").fit(rows, Y), "data on cuda:0: use"),
        (lambda rows: SoftmaxRegression().fit(rows * float("nan"), Y), "infinity in row 0"),
        (lambda rows: SoftmaxRegression().fit(rows[0], Y), r"shape \(64,\)"),
        (lambda rows: SoftmaxRegression().fit(rows[:0], Y[:0]), r"shape \(0, 64\)"),
        (lambda rows: SoftmaxRegression().fit(rows, Y[:9]), "inconsistent numbers of samples"),
        (lambda rows: SoftmaxRegression().fit(rows, 0 * Y), "one class only"),
        (lambda rows: SoftmaxRegression().fit(rows, Y).predict(rows[:, :5]), "expecting 64 features"),
        (lambda rows: SoftmaxRegressionCV(3, validation=(X, Y)).fit(rows, Y), "rows on cpu, and X is on cuda:0"),
    ],
)
def test_what_a_device_cannot_do_is_said_in_a_sentence(fit, words, device):
    with pytest.raises(InputError, match=words):
        fit(on(device, X))


def test_sparse_tensors_are_told_to_be_something_else():
    with pytest.raises(InputError, match="sparse_coo tensor on cpu is given"):
        SoftmaxRegression().fit(torch.eye(3).to_sparse(), [0, 1, 2])


def test_tensors_in_memory_are_answered_with_tensors_of_the_same_numbers():
    model = SoftmaxRegression(alpha=1e-3).fit(torch.from_numpy(X).requires_grad_(), torch.from_numpy(Y))
    assert np.array_equal(model.coef_, SoftmaxRegression(alpha=1e-3).fit(X, Y).coef_)
    for method in (model.predict, model.predict_proba, model.predict_log_proba, model.decision_function):
        answer = method(torch.from_numpy(X))
        assert isinstance(answer, torch.Tensor)
        assert np.array_equal(answer.numpy(), method(X))


def test_an_unfinished_fit_on_a_device_says_how_far_it_got(device):
    with pytest.warns(ConvergenceWarning, match="after 2 iterations the relative duality gap is"):
        SoftmaxRegression(alpha=1e-5, max_iter=2).fit(on(device, X), Y)
    with pytest.warns(ConvergenceWarning, match="linearly separable"), warnings.catch_warnings():
        SoftmaxRegression(alpha=0.0, max_iter=30).fit(on(device, X), Y)


def test_arrays_stay_and_bfloat16_becomes_what_numpy_has():
    assert as_array([1]) == [1]
    assert as_array(torch.tensor([0.5], dtype=torch.bfloat16)).dtype == np.float32
