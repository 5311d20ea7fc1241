"""Objects and images that a ``ConvNetClassifier`` cannot learn with are refused in a sentence, before it learns."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from gradus import ConvNetClassifier
from gradus.core.errors import GradusError, InputError
from gradus.layers import LIPPool2d

DIGITS = load_digits()
X, Y = DIGITS.images[:40], DIGITS.target[:40]


def small(**settings):
    return ConvNetClassifier((4, 4), epochs=1, random_state=0, **settings)


def linear():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


class Twice(nn.Module):
    def forward(self, x):
        return x, x


WRONG = {
    "device is 'foo'": {"device": "foo"},
    "device is 'meta', which does not work here": {"device": "meta"},
    "Twice makes a tuple": {"module": Twice()},
    "Sequential has no parameter that requires a gradient": {"module": linear().requires_grad_(False)},
    "does not take images .*logits": {"pooling": LIPPool2d(2)},
    "LBFGS, which takes the loss several times": {"optimizer": torch.optim.LBFGS},
    "schedule is 'cosine'; .*gradus.optim.cosine": {"schedule": "cosine"},
    "schedule is .*StepLR": {"schedule": torch.optim.lr_scheduler.StepLR},
    "schedule gives None for the first": {"schedule": lambda steps: lambda step: None},
    "batches of one image .* batch_size of at least 2": {"batch_size": 1},
}


@pytest.mark.parametrize("words", WRONG)
def test_it_is_said_in_a_sentence(words):
    with pytest.raises(GradusError, match=words):
        small(**WRONG[words]).fit(X, Y)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_the_first_bad_image_is_named(bad):
    images = X.copy()
    images[[5, 9], 2, 3] = bad
    with pytest.raises(InputError, match="The first such image is number 5"):
        small().fit(images, Y)
    with pytest.raises(InputError, match="The first such image is number 5"):
        small(image_shape=(8, 8)).fit(images.reshape(40, 64), Y)


def test_tensors_of_any_kind_are_images():
    wanted = small().fit(X, Y).predict_proba(X)
    for images in (torch.tensor(X).bfloat16(), torch.tensor(X).requires_grad_()):  # digits are whole numbers up to 16
        assert np.array_equal(small().fit(images, Y).predict_proba(images), wanted)


def test_a_module_without_norms_learns_from_one_image_at_a_time():
    model = small(module=linear(), batch_size=1).fit(X, Y)
    model.partial_fit(X[:1], Y[:1])
    with pytest.raises(InputError, match="batches of one image"):
        small().fit(X, Y).partial_fit(X[:1], Y[:1])


def test_classes_of_a_later_call_are_those_of_the_first():
    model = small().partial_fit(X, Y, classes=range(10))
    model.partial_fit(X, Y, classes=np.arange(10))
    with pytest.raises(InputError, match=r"classes are \[0, 1\], and the network was made for"):
        model.partial_fit(X, Y, classes=[0, 1])


def test_a_file_where_none_can_be_is_refused(tmp_path):
    model = small().fit(X, Y)
    with pytest.raises(InputError, match="is no folder: make it"):
        model.save(tmp_path / "missing" / "model.safetensors")
    with pytest.raises(InputError, match="is a folder"):
        model.save(tmp_path)
    assert not list(tmp_path.iterdir())
