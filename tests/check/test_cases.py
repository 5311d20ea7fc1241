"""The generator of situations: that each is what its name says."""

import torch

from gradus.check.cases import GIVEN, cases
from gradus.check.directions import directions
from gradus.check.layouts import expanded, poisoned, transposed
from gradus.check.sizes import lengths, resized


def test_layouts_hold_the_same_numbers_differently():
    x = torch.randn(3, 4, 5)
    for layout in (transposed, poisoned):
        assert torch.equal(layout(x), x)
        assert not layout(x).is_contiguous()
    assert torch.isnan(poisoned(x)._base).any()
    assert expanded(x).unique().numel() == 1
    assert expanded(torch.zeros(0, 3)).shape == (0, 3)


def test_axes_of_one_length_change_together_and_grown_entries_differ():
    generator = torch.Generator().manual_seed(0)
    inputs = (torch.randn(3, 4), torch.randn(4, 5))
    assert lengths(inputs) == [3, 4, 5]
    first, second = resized(inputs, {4: 9}, generator)
    assert first.shape == (3, 9) and second.shape == (9, 5)
    assert first.unique().numel() == first.numel()
    small = resized(inputs, {4: 2}, generator)
    assert torch.equal(small[0], inputs[0][:, :2])


def test_every_situation_is_there_once_and_the_given_inputs_are_untouched():
    x = torch.randn(6, 7)
    before = x.clone()
    found = list(cases((x,), torch.Generator().manual_seed(0)))
    names = [case.name for case in found]
    assert names[0] == GIVEN
    assert len(set(names)) == len(names)
    assert {"upstream expanded", "inputs between NaN", "ties", "large values", "size 6 as 0", "size 7 as 33"} <= set(
        names
    )
    assert torch.equal(x, before)
    ties = next(case for case in found if case.name == "ties").inputs[0]
    assert ties.unique().numel() < x.numel()


def test_directions_cover_the_whole_the_ends_and_single_entries():
    generator = torch.Generator().manual_seed(0)
    found = {direction.region: direction.vector for direction in directions(torch.Size((70, 3)), generator)}
    assert (found["everywhere"] != 0).all()
    assert (found["the last of axis 0"] != 0).sum() == 3
    assert (found["the rest of axis 0 after blocks of 32"] != 0).sum() == 6 * 3
    assert (found["an entry"] != 0).sum() == 1
    assert (found["everywhere"] > 0).any() and (found["everywhere"] < 0).any()
    assert not list(directions(torch.Size((0, 3)), generator))
