"""Layers that draw follow torch's generator, compiled and mapped too."""

import pytest
import torch

from gradus.layers import StochasticPool2d
from gradus.layers.drawn_numbers import uniform


def seeded(call):
    torch.manual_seed(5)
    return call()


def test_a_seed_and_not_the_number_of_threads_decides():
    like = torch.zeros(1, dtype=torch.bfloat16)
    found = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        found.append(seeded(lambda: uniform((300, 70, 70), like)))
    assert torch.equal(*found) and found[0].dtype == torch.float32
    torch.manual_seed(6)
    assert not torch.equal(uniform((300, 70, 70), like), found[0])


def test_a_compiled_layer_draws_what_the_layer_does():
    layer, x = StochasticPool2d(2), torch.rand(2, 3, 8, 8)
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    assert torch.equal(seeded(lambda: compiled(x)), seeded(lambda: layer(x)))


def test_vmap_draws_anew_for_each_or_the_same_for_all():
    layer, x = StochasticPool2d(2), torch.rand(1, 3, 16, 16).expand(4, 2, 3, 16, 16)
    anew = seeded(lambda: torch.vmap(layer, randomness="different")(x))
    same = seeded(lambda: torch.vmap(layer, randomness="same")(x))
    assert torch.equal(same[0], same[1]) and not torch.equal(anew[0], anew[1])
    with pytest.raises(RuntimeError, match="randomness"):
        torch.vmap(layer)(x)


def test_the_operator_passes_torchs_check():
    torch.library.opcheck(torch.ops.gradus.uniform.default, (torch.tensor([1, 2]), [3, 5], torch.float64))
