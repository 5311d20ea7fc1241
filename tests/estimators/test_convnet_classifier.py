"""The classifier of images: that it learns, goes on after a kill, keeps its promises, and refuses wrong input."""

import pickle
from functools import partial

import numpy as np
import onnxruntime
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

from gradus.core.errors import InputError
from gradus.estimators import ConvNetClassifier
from gradus.networks import Learner
from gradus.optim import cosine
from gradus.penalties import L1, RowsAtMost
from gradus.solvers import checkpoint as checkpoints

UNLIKE_REPETITION = {
    "check_sample_weight_equivalence_on_dense_data": "batches are drawn at random: a weight of two is not two rows"
}


@parametrize_with_checks(
    [ConvNetClassifier((8, 8), epochs=8, batch_size=16, image_shape=(1, -1), random_state=0)],
    expected_failed_checks=lambda estimator: UNLIKE_REPETITION,
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def digits(rows=600):
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    images, labels = data.images[order].astype(np.uint8), data.target[order]
    return images[:rows], labels[:rows], images[rows:], labels[rows:]


def small(**changed):
    return ConvNetClassifier(**{"widths": (16, 16), "epochs": 4, "batch_size": 32, "random_state": 0} | changed)


def weights_of(model):
    return {name: tensor.numpy().copy() for name, tensor in model.network_.state_dict().items()}


def assert_same_weights(one, other):
    ours, theirs = weights_of(one), weights_of(other)
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        np.testing.assert_array_equal(tensor, theirs[name], err_msg=name)


@pytest.fixture(scope="module")
def fitted():
    images, labels, _, _ = digits()
    return small().fit(images, labels)


def test_errs_less_than_a_linear_classifier():
    images, labels, unseen, truth = digits(1000)
    linear = LogisticRegression(max_iter=2000).fit(images.reshape(len(images), -1) / 16, labels)
    error = 1 - linear.score(unseen.reshape(len(unseen), -1) / 16, truth)
    ours = 1 - small(widths=(32, 32), epochs=12).fit(images, labels).score(unseen, truth)
    assert ours < 0.7 * error


def test_layouts_are_the_same_images(fitted):
    images, labels, unseen, _ = digits()
    logits = fitted.decision_function(unseen)
    flat = small(image_shape=(8, 8)).fit(images.reshape(-1, 64), labels)
    np.testing.assert_array_equal(flat.decision_function(unseen.reshape(-1, 64)), logits)
    last = small().fit(images[..., None], labels)
    np.testing.assert_array_equal(last.decision_function(unseen[:, None]), logits)
    wide = small(channels="first", image_shape=(1, 8, -1)).fit(images.reshape(-1, 64).astype(float), labels)
    np.testing.assert_array_equal(wide.decision_function(unseen.reshape(-1, 64).astype(float)), logits)


def test_colour_channels_first_and_last_are_the_same():
    images, labels, unseen, _ = digits(200)
    colour, new = (np.stack([each, each // 2, 16 - each], axis=-1) for each in (images, unseen))
    one = small(epochs=2).fit(colour, labels)
    other = small(epochs=2).fit(np.moveaxis(colour, 3, 1), labels)
    np.testing.assert_array_equal(one.predict_proba(new), other.predict_proba(np.moveaxis(new, 3, 1)))
    assert one.image_shape_ == other.image_shape_ == (8, 8, 3)


def test_probabilities_are_the_softmax_of_the_logits(fitted):
    _, _, unseen, _ = digits()
    logits = torch.from_numpy(fitted.decision_function(unseen))
    np.testing.assert_allclose(fitted.predict_proba(unseen), logits.softmax(1).numpy(), rtol=1e-6)
    np.testing.assert_allclose(fitted.predict_log_proba(unseen), logits.log_softmax(1).numpy(), rtol=1e-6)
    np.testing.assert_array_equal(fitted.predict(unseen), fitted.classes_[logits.argmax(1).numpy()])


def test_learned_features_are_what_the_last_layer_is_given(fitted):
    _, _, unseen, _ = digits()
    features = fitted.transform(unseen)
    assert features.shape == (len(unseen), 16)
    weight = fitted.network_.head.weight.detach().numpy()
    np.testing.assert_allclose(features @ weight.T, fitted.decision_function(unseen), rtol=1e-4, atol=1e-5)


def test_same_seed_same_weights_and_the_global_stream_is_left_alone(fitted):
    images, labels, _, _ = digits()
    torch.manual_seed(5)
    before = torch.get_rng_state()
    again = small().fit(images, labels)
    assert_same_weights(fitted, again)
    assert torch.equal(before, torch.get_rng_state())
    other = small(random_state=1).fit(images, labels)
    assert not np.array_equal(
        other.network_.head.weight.numpy(force=True), again.network_.head.weight.numpy(force=True)
    )


class KilledError(Exception):
    pass


def killed_after(steps, monkeypatch):
    """Let the training write its state after every step, and end after some as if its process were killed."""
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)
    step, taken = Learner.step, 0

    def counted(self, batch, factor):
        nonlocal taken
        taken += 1
        if taken > steps:
            raise KilledError
        return step(self, batch, factor)

    monkeypatch.setattr(Learner, "step", counted)


@pytest.mark.parametrize("steps", [1, 19, 40])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"early_stopping": True, "validation_fraction": 0.2},
        {"module": "dropout", "optimizer": partial(torch.optim.AdamW, lr=3e-3), "schedule": cosine},
    ],
    ids=["default", "early stopping", "own module with dropout"],
)
def test_goes_on_to_the_same_weights_after_a_kill(changed, steps, tmp_path, monkeypatch):
    images, labels, _, _ = digits()
    if changed.get("module"):
        torch.manual_seed(0)
        layers = (nn.Flatten(), nn.Dropout(0.3), nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, 10))
        changed = changed | {"module": nn.Sequential(*layers)}
    whole = small(**changed).fit(images, labels)
    path = tmp_path / "training.safetensors"
    with monkeypatch.context() as patched:
        killed_after(steps, patched)
        with pytest.raises(KilledError):
            small(checkpoint=path, **changed).fit(images, labels)
    assert path.is_file()
    resumed = small(checkpoint=path, **changed).fit(images, labels)
    assert_same_weights(whole, resumed)
    assert resumed.records_ == whole.records_ and resumed.best_epoch_ == whole.best_epoch_
    assert not path.exists()


def test_a_checkpoint_of_another_training_is_refused(tmp_path, monkeypatch):
    images, labels, _, _ = digits(200)
    path = tmp_path / "training.safetensors"
    with monkeypatch.context() as patched:
        killed_after(3, patched)
        with pytest.raises(KilledError):
            small(checkpoint=path).fit(images, labels)
    for changed, data in (({"random_state": 1}, images), ({"epochs": 5}, images), ({}, 16 - images)):
        with pytest.raises(InputError, match="belongs to a fit of other data or settings"):
            small(checkpoint=path, **changed).fit(data, labels)
    with pytest.raises(InputError, match="random_state"):
        small(checkpoint=path, random_state=None).fit(images, labels)


def test_early_stopping_restores_the_best_epoch():
    images, labels, _, _ = digits()
    # a rate that grows until it destroys what was learned
    model = small(
        early_stopping=True,
        validation_fraction=0.3,
        n_iter_no_change=3,
        epochs=40,
        schedule=lambda steps: lambda step: 1.05**step / 10,
    ).fit(images, labels)
    errors = [record.validation_error for record in model.records_]
    assert errors[model.best_epoch_] == min(errors) < errors[-1]
    assert model.n_iter_ == len(errors) == model.best_epoch_ + 4 < 40
    assert model.score(images, labels) > 1 - errors[-1]


def test_rows_without_weight_are_not_learned_from():
    images, labels, unseen, truth = digits()
    wrong = labels.copy()
    wrong[::2] = 9 - wrong[::2]
    weights = np.ones(len(labels))
    weights[::2] = 0.0
    assert small(epochs=10).fit(images, wrong, weights).score(unseen, truth) > 0.85
    assert small(epochs=10).fit(images, wrong).score(unseen, truth) < 0.8


def test_weights_of_classes_are_those_of_their_rows():
    images, labels, unseen, _ = digits(300)
    by_class = small(epochs=2, class_weight={digit: 1.0 + 4.0 * (digit == 3) for digit in range(10)})
    by_row = small(epochs=2).fit(images, labels, 1.0 + 4.0 * (labels == 3))
    np.testing.assert_array_equal(by_class.fit(images, labels).predict_proba(unseen), by_row.predict_proba(unseen))


def test_partial_fit_learns_goes_on_and_pickles():
    images, labels, unseen, truth = digits(900)
    model = small()
    for start in range(0, 600, 200):
        model.partial_fit(images[start : start + 200], labels[start : start + 200], classes=np.arange(10))
    early = model.score(unseen, truth)
    again = pickle.loads(pickle.dumps(model))
    for each in (model, again):
        for _ in range(6):
            each.partial_fit(images, labels)
    assert_same_weights(model, again)
    assert model.score(unseen, truth) > max(0.9, early)
    assert model.n_iter_ == len(model.records_) == 9
    with pytest.raises(InputError, match="label 10"):
        model.partial_fit(images[:2], np.array([1, 10]))
    with pytest.raises(InputError, match="first call"):
        small().partial_fit(images, labels)


def test_partial_fit_after_fit_starts_from_its_weights(fitted):
    images, labels, unseen, truth = digits()
    model = pickle.loads(pickle.dumps(fitted)).partial_fit(images, labels)
    assert model.n_iter_ == 5
    assert model.score(unseen, truth) > 0.85


@pytest.mark.parametrize("kind", [str, int, object, float])
def test_saved_and_loaded_it_says_the_same(kind, tmp_path):
    images, labels, unseen, _ = digits(200)
    named = np.array([f"digit {label}" for label in labels], dtype=object) if kind is object else labels.astype(kind)
    model = small(epochs=1).fit(images, named)
    model.save(tmp_path / "model.safetensors", source="digits")
    again = ConvNetClassifier.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.predict_proba(unseen), model.predict_proba(unseen))
    np.testing.assert_array_equal(again.predict(unseen), model.predict(unseen))
    assert again.classes_.dtype == model.classes_.dtype and again.records_ == model.records_
    assert again.get_params() == model.get_params()


def test_an_own_module_is_loaded_into_one_of_its_kind(tmp_path):
    images, labels, unseen, _ = digits(200)
    model = small(epochs=1, module=nn.Sequential(nn.Flatten(), nn.Linear(64, 10))).fit(images, labels)
    model.save(tmp_path / "model.safetensors")
    again = ConvNetClassifier.load(
        tmp_path / "model.safetensors", module=nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    )
    np.testing.assert_array_equal(again.predict_proba(unseen), model.predict_proba(unseen))
    with pytest.raises(InputError, match="module of your own"):
        ConvNetClassifier.load(tmp_path / "model.safetensors")
    with pytest.raises(InputError, match="do not fit Linear"):
        ConvNetClassifier.load(tmp_path / "model.safetensors", module=nn.Linear(64, 10))
    (tmp_path / "other.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match="is not a network"):
        ConvNetClassifier.load(tmp_path / "other.safetensors")


def test_onnx_runs_to_the_same_logits(fitted, tmp_path):
    _, _, unseen, _ = digits()
    fitted.export_onnx(tmp_path / "model.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    for rows in (1, 50):
        (logits,) = session.run(None, {"images": unseen[:rows, None].astype(np.float32)})
        np.testing.assert_allclose(logits, fitted.decision_function(unseen[:rows]), rtol=1e-4, atol=1e-5)


def test_a_module_is_trained_as_a_copy_from_its_own_weights():
    images, labels, _, _ = digits(200)
    module = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    before = module[1].weight.detach().clone()
    model = small(module=module, optimizer=partial(torch.optim.SGD, lr=0.0), epochs=1, shift=0).fit(images, labels)
    assert torch.equal(module[1].weight, before) and torch.equal(model.network_[1].weight, before)
    small(module=module, epochs=1).fit(images, labels)
    assert torch.equal(module[1].weight, before)


def test_pooling_stands_in_every_block():
    images, labels, _, _ = digits(100)
    model = small(epochs=1, pooling=nn.LPPool2d(2, 2)).fit(images, labels)
    kinds = [type(layer) for layer in model.network_.modules()]
    assert kinds.count(nn.LPPool2d) == 2 and nn.MaxPool2d not in kinds


def test_few_images_are_predicted_on_one_thread(fitted):
    _, _, unseen, _ = digits()
    seen = []
    hook = fitted.network_.register_forward_pre_hook(lambda *_: seen.append(torch.get_num_threads()))
    before = torch.get_num_threads()
    fitted.predict(unseen[:1])
    fitted.predict(np.concatenate([unseen] * 2)[:512])
    hook.remove()
    assert seen == [1, before] and torch.get_num_threads() == before


@pytest.fixture(scope="module")
def sparse():
    images, labels, _, _ = digits()
    return small(widths=(32, 32), epochs=8, penalty=RowsAtMost(0.5)).fit(images, labels)


def test_half_of_the_channels_become_zero_and_are_taken_out(sparse):
    _, _, unseen, truth = digits()
    scales = [layer.weight for layer in sparse.network_.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert [int((scale != 0).sum()) for scale in scales] == [16] * 4
    smaller = sparse.pruned()
    filters = [layer for layer in smaller.network_.modules() if isinstance(layer, nn.Conv2d)]
    assert [layer.out_channels for layer in filters[1:]] == [16] * 4
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in smaller.network_.modules())
    np.testing.assert_allclose(
        smaller.decision_function(unseen), sparse.decision_function(unseen), rtol=1e-3, atol=1e-4
    )
    np.testing.assert_array_equal(smaller.predict(unseen), sparse.predict(unseen))
    assert sparse.score(unseen, truth) > 0.9
    assert sparse.network_ is not smaller.network_ and len(scales) == 4


def test_a_pruned_network_is_a_smaller_file_and_graph(sparse, tmp_path):
    _, _, unseen, _ = digits()
    smaller = sparse.pruned()
    sparse.save(tmp_path / "whole.safetensors")
    smaller.save(tmp_path / "pruned.safetensors")
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "pruned")]
    assert sizes[1] < 0.4 * sizes[0]
    again = ConvNetClassifier.load(tmp_path / "pruned.safetensors")
    np.testing.assert_array_equal(again.decision_function(unseen), smaller.decision_function(unseen))
    assert str(again.network_) == str(smaller.network_)
    assert not any(isinstance(layer, nn.Identity) for layer in again.network_.modules())


def test_the_epoch_that_is_kept_has_its_channels_chosen():
    images, labels, _, _ = digits(300)
    # learns in the first epoch, and unlearns from then on
    model = small(
        penalty=RowsAtMost(0.5),
        early_stopping=True,
        n_iter_no_change=1,
        batch_size=8,
        schedule=lambda steps: lambda step: 1.0 if step < steps / 4 else 100.0,
    ).fit(images, labels)
    errors = [record.validation_error for record in model.records_]
    assert errors[0] < errors[model.best_epoch_] == min(errors[1:])
    scales = [layer.weight for layer in model.network_.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert all(int((scale != 0).sum()) == 8 for scale in scales)


def test_a_penalty_is_told_from_another_and_needs_norms(tmp_path, monkeypatch):
    images, labels, _, _ = digits(200)
    path = tmp_path / "training.safetensors"
    with monkeypatch.context() as patched:
        killed_after(3, patched)
        with pytest.raises(KilledError):
            small(checkpoint=path, penalty=L1(0.01)).fit(images, labels)
    with pytest.raises(InputError, match="belongs to a fit of other data or settings"):
        small(checkpoint=path, penalty=L1(0.02)).fit(images, labels)
    with pytest.raises(InputError, match="has no batch norm"):
        small(module=nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), penalty=L1(0.01)).fit(images, labels)
    with pytest.raises(InputError, match=r"penalty is 0\.1"):
        small(penalty=0.1).fit(images, labels)


def test_clone_and_parameters():
    model = small(class_weight="balanced", optimizer=partial(torch.optim.Adam, lr=1e-3))
    given, cloned = model.get_params(), clone(model).get_params()
    one, other = given.pop("optimizer"), cloned.pop("optimizer")
    assert given == cloned and (one.func, one.keywords) == (other.func, other.keywords)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_learns_in_either_precision(precision):
    images, labels, unseen, truth = digits()
    assert small(precision=precision, epochs=8).fit(images, labels).score(unseen, truth) > 0.9


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"widths": ()}, r"widths is \(\); expected the channels of each block"),
        ({"epochs": 0}, "epochs is 0; expected None or a whole number >= 1"),
        ({"batch_size": 2.5}, "batch_size is 2.5"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0; expected a number from 0 to below 1"),
        ({"validation_fraction": 1.5}, "validation_fraction is 1.5"),
        ({"precision": "bfloat"}, r"did you mean 'bfloat16'\?"),
        ({"channels": "frist"}, r"did you mean 'first'\?"),
        ({"module": nn.Linear}, "an object, not its class"),
        ({"module": nn.Linear(3, 3)}, r"Linear does not take images of shape \(samples, 1, 8, 8\)"),
        ({"module": nn.Sequential(nn.Flatten(), nn.Linear(64, 3))}, "one logit for each of the 10 classes"),
        ({"optimizer": "adam"}, "expected None or a function from parameters"),
        ({"optimizer": len}, "made a int of the parameters"),
        ({"image_shape": (0, 8)}, r"image_shape is \(0, 8\)"),
        ({"checkpoint": "/nowhere/at/all"}, "is no folder"),
        ({"class_weight": "balance"}, "class_weight is 'balance'"),
    ],
)
def test_wrong_settings_are_told(changed, sentence):
    images, labels, _, _ = digits(50)
    with pytest.raises(InputError, match=sentence):
        small(**changed).fit(images, labels)


def test_wrong_images_are_told(fitted):
    images, labels, _, _ = digits(50)
    with pytest.raises(InputError, match="give image_shape"):
        small().fit(images.reshape(-1, 64), labels)
    with pytest.raises(InputError, match="they do not fit"):
        small(image_shape=(9, -1)).fit(images.reshape(-1, 64), labels)
    with pytest.raises(InputError, match="second or on the last axis"):
        small().fit(np.zeros((4, 3, 5, 3)), labels[:4])
    with pytest.raises(InputError, match="was trained on"):
        fitted.predict(np.zeros((2, 9, 9)))
    with pytest.raises(InputError, match="has one class only"):
        small().fit(images, np.ones(len(images)))
    with pytest.raises(InputError, match="non-zero"):
        fitted.partial_fit(images, labels, sample_weight=np.zeros(len(images)))
    with pytest.raises(InputError, match="NaN"):
        small().fit(np.full((4, 8, 8), np.nan), labels[:4])
