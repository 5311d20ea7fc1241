"""The torch code that is printed runs where its arguments are."""

import inspect

import numpy as np
import pytest
import torch

from derive.formulas import FORMULAS
from derive.test_code import OTHERS, function_of
from gradus.derive import derive, draw_point
from gradus.derive.code.pieces import safe_name

TEXTS = OTHERS | {formula.name: formula.text for formula in FORMULAS[::4]}


@pytest.mark.parametrize("what", TEXTS)
def test_code_on_a_device(what, device):
    derivation = derive(TEXTS[what])
    point = draw_point(derivation.differentiated.prepared.program, np.random.default_rng([0, 11]))
    names = {safe_name(name): name for name in point.values}
    function = function_of(derivation.torch())
    arguments = [torch.tensor(point.values[names[p]]) for p in inspect.signature(function).parameters]
    wanted, found = function(*arguments), function(*(value.to(device) for value in arguments))
    for own, other in zip(found, wanted, strict=True):
        own, other = torch.as_tensor(own), torch.as_tensor(other)
        assert own.device == device or own.dim() == 0
        torch.testing.assert_close(own.cpu(), other, rtol=1e-9, atol=1e-11)
