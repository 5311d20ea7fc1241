"""Networks on a device learn what they learn on the processor, are pruned, kept in a file and used there."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from gradus import ConvNetClassifier, layers
from gradus.core.errors import UnavailableError
from gradus.networks import ImageNetwork, NetworkPlan
from gradus.penalties import RowsAtMost
from gradus.solvers.checkpoint import Checkpoint
from simulated_device import compared

DIGITS = load_digits()
X, Y = DIGITS.images[:120].astype(np.float32), DIGITS.target[:120]


def model(on, **settings):
    given = {"widths": (4, 4), "epochs": 2, "batch_size": 40, "precision": "float32", "random_state": 0} | settings
    return ConvNetClassifier(device=str(on), **given)


def fitted(on, **settings):
    if on != "cpu":
        return model(on, **settings).fit(X, Y)
    with compared():
        return model(on, **settings).fit(X, Y)


def close(found, wanted, tolerance=1e-3):
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)


def test_the_default_network(device):
    network = ImageNetwork(NetworkPlan(1, 8, 8, 10, (4, 4)))
    images = torch.from_numpy(X[:, None])
    network.measure(images)
    network.eval()
    with compared():
        wanted = network(images).detach()
    moved = copy.deepcopy(network).to(device)
    found = moved(images.to(device)).detach()
    assert found.device == device
    torch.testing.assert_close(found.cpu(), wanted, rtol=1e-3, atol=1e-4)
    moved.measure(images.to(device))
    torch.testing.assert_close(moved(images.to(device)).detach().cpu(), wanted, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"early_stopping": True, "shift": 1, "flip": True},
        {"penalty": RowsAtMost(0.5), "epochs": 4},
        {"pooling": layers.SoftPool2d(2), "class_weight": "balanced"},
        {"module": nn.Sequential(nn.Flatten(), nn.Linear(64, 10))},
    ],
    ids=["default", "early stopping, moved", "channels chosen", "another pooling", "a module"],
)
def test_the_classifier_learns_the_same(settings, device):
    if "module" in settings:
        torch.manual_seed(0)
        settings = {"module": nn.Sequential(nn.Flatten(), nn.Linear(64, 10))}
    wanted, found = fitted("cpu", **settings), fitted(device, **settings)
    assert next(found.network_.parameters()).device == device
    # after a step with the roundings of the device the ways part: weights are moved by signs and orthogonal factors
    close([record.loss for record in found.records_], [record.loss for record in wanted.records_], 3e-2)
    close(found.records_[0].loss, wanted.records_[0].loss, 3e-3)
    with compared():
        probabilities, features = wanted.predict_proba(X), wanted.transform(X) if "module" not in settings else None
    close(found.predict_proba(X), probabilities, 5e-2)
    if features is not None:
        close(found.transform(X), features, 0.1 * np.abs(features).max())
    assert found.predict(torch.from_numpy(X).to(device)).shape == Y.shape
    if "penalty" in settings:
        smaller = found.pruned()
        smaller = getattr(smaller, "network_", smaller)
        assert sum(p.numel() for p in smaller.parameters()) < sum(p.numel() for p in found.network_.parameters())


def test_parts_of_the_images_one_after_the_other(device):
    found = []
    for on in ("cpu", device):
        own = model(on)
        with compared():
            own.partial_fit(X[:60], Y[:60], classes=range(10)) if on == "cpu" else None
            own.partial_fit(X[60:], Y[60:]) if on == "cpu" else None
        if on != "cpu":
            own.partial_fit(X[:60], Y[:60], classes=range(10)).partial_fit(X[60:], Y[60:])
        found.append([record.loss for record in own.records_])
    close(*found, 3e-2)


def test_what_was_learned_on_a_device_is_used_without_it(device, tmp_path, monkeypatch):
    own = fitted(device).partial_fit(X[:40], Y[:40])
    wanted = own.predict_proba(X)
    own.save(tmp_path / "network.safetensors")
    there = ConvNetClassifier.load(tmp_path / "network.safetensors", device=str(device))
    assert next(there.network_.parameters()).device == device
    close(there.predict_proba(X), wanted, 1e-5)
    there = pickle.loads(pickle.dumps(own))
    assert next(there.network_.parameters()).device == device
    close(there.predict_proba(X), wanted, 1e-5)

    def gone(name):
        raise UnavailableError(f"there is no {name} here")

    monkeypatch.setattr("gradus.estimators.portable_network.working_device", gone)
    with compared():
        here = pickle.loads(pickle.dumps(own))
        assert all(p.device.type == "cpu" for p in here.network_.parameters())
        close(here.predict_proba(X), wanted)
        here.partial_fit(X[40:80], Y[40:80])
        saved = ConvNetClassifier.load(tmp_path / "network.safetensors", device="cpu")
        close(saved.predict_proba(X), wanted)


def test_a_training_goes_on_from_its_file(device, tmp_path, monkeypatch):
    settings = {"pooling": layers.StochasticPool2d(2)}  # which draws on the device
    kept, states = Checkpoint.keep, []

    def seen(self, state):
        kept(self, state)
        states.append(state)

    def killed(self, state):
        kept(self, state)
        if state.epoch == 1 and state.batch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "keep", seen)
    wanted = fitted(device, checkpoint=tmp_path / "whole.pt", **settings)
    with monkeypatch.context() as killing:
        killing.setattr("gradus.solvers.checkpoint.SECONDS", 0.0)
        killing.setattr(Checkpoint, "keep", killed)
        with pytest.raises(KeyboardInterrupt):
            fitted(device, checkpoint=tmp_path / "half.pt", **settings)
    assert (tmp_path / "half.pt").exists()
    found = fitted(device, checkpoint=tmp_path / "half.pt", **settings)
    whole, resumed = states[:6], states[6:]
    assert [(one.epoch, one.batch) for one in resumed] == [(1, 2), (1, 3)]
    for own, others in zip(resumed[-1].random, whole[-1].random, strict=True):
        assert torch.equal(own, others)
    # cuDNN adds up in another order each time; a millionth of a gradient turns what is drawn and what is rounded to
    # bfloat16, and moves probabilities by up to 3e-2
    close([record.loss for record in found.records_], [record.loss for record in wanted.records_], 3e-2)
    if not torch.cuda.is_available():
        close(found.predict_proba(X), wanted.predict_proba(X))
