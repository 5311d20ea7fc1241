"""What is kept of a solver's state comes back as it was, and nothing else comes back."""

import json
import math

import pytest
import torch
from safetensors.torch import save_file

from gradus.core.errors import InputError
from gradus.solvers import checkpoint
from gradus.solvers.checkpoint import Checkpoint
from gradus.solvers.lbfgs import LBFGSState, Pair
from gradus.solvers.state_tree import from_tree, to_tree


def state():
    turned = torch.arange(6.0).reshape(2, 3).t()
    pair = Pair(torch.ones(3, 2), turned, 0.1 + 0.2)
    return LBFGSState(turned, -math.inf, torch.zeros(3, 2, dtype=torch.float64), (pair, pair), halted=True)


def test_a_state_comes_back_as_it_was():
    tensors = {}
    tree = json.loads(json.dumps(to_tree(state(), tensors)))
    back = from_tree(tree, tensors)
    assert type(back) is LBFGSState
    assert type(back.pairs[1]) is Pair
    assert (back.value, back.halted, back.pairs[0].product) == (-math.inf, True, 0.1 + 0.2)
    for found, expected in ((back.point, state().point), (back.gradient, state().gradient)):
        assert torch.equal(found, expected)
        assert found.dtype == expected.dtype
        assert found.stride() == expected.stride()


@pytest.mark.parametrize("value", [lambda: None, {1, 2}, [b"1"], object()], ids=["function", "set", "bytes", "object"])
def test_what_is_no_state_is_refused(value):
    with pytest.raises(InputError, match="cannot be kept"):
        to_tree((1.0, value), {})


@pytest.mark.parametrize(
    "name", ["os:system", "builtins:eval", "gradus.core.files:written_whole", "gradus.solvers:nothing"]
)
def test_a_file_cannot_name_anything_but_states(name):
    with pytest.raises((ValueError, AttributeError)):
        from_tree({"class": name, "parts": {}}, {})


def test_a_file_is_written_when_it_is_time_and_read_by_the_same_fit_only(tmp_path, monkeypatch):
    path = tmp_path / "fit"
    kept = Checkpoint(path, "one")
    kept.keep(state())
    assert not path.exists()
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    kept.keep(state())
    again = Checkpoint(path, "one")
    assert (again.iterations, again.before) == (2, 2)
    assert torch.equal(again.state.point, state().point)
    # what BLAS rounds to depends on where numbers lie, so they begin where those of a fit in one go do
    assert all(part.data_ptr() % 64 == 0 for part in (again.state.gradient, again.state.pairs[1].step))
    with pytest.raises(InputError, match="belongs to a fit of other data or settings"):
        Checkpoint(path, "two")
    again.discard()
    assert Checkpoint(path, "two").state is None
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text").write_text("hello")
    save_file({"a": torch.ones(2)}, tmp_path / "tensors")
    about = {"format": "gradus solver state 1", "problem": "one", "iterations": 1, "state": {"class": "os:system"}}
    save_file({"a": torch.ones(2)}, tmp_path / "foreign", metadata={"gradus": json.dumps(about)})
    for name in ("text", "tensors", "foreign"):
        with pytest.raises(InputError, match="is not a file that a fit wrote"):
            Checkpoint(tmp_path / name, "one")


def test_dictionaries_and_lists_come_back_with_their_kinds_of_keys():
    state = {0: {"step": torch.tensor(3.0), "rates": [0.1, (1, None)]}, "name": [torch.float64]}
    tensors = {}
    again = from_tree(json.loads(json.dumps(to_tree(state, tensors))), tensors)
    assert again == state and list(again) == [0, "name"]
