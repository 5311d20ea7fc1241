"""What a person types: what it finds, and the sentence where it finds nothing."""

import pytest
import torch

from gradus.check.target import Target, given_inputs, random_inputs
from gradus.cli import main
from gradus.core.errors import InputError

SOURCE = """
import torch
def square(x): return x * x
def backward(u, x): return 2 * u * x
def wrong(u, x): return u * x
def example(): return (torch.linspace(-1, 1, 5),)
class Holder: function = square
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


def test_a_file_or_a_module(source):
    assert Target.of(f"{source}:square").get()(3) == 9
    assert Target.of(f"{source}:Holder.function").get()(3) == 9
    assert Target.of("torch.nn.functional:relu").get() is torch.nn.functional.relu


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("torch", "names no function"),
        ("nowhere.py:f", "no such file"),
        ("no_such_module:f", "no module 'no_such_module'"),
        ("torch:sinn", "did you mean 'sin'"),
    ],
)
def test_what_is_not_there_is_said(text, said):
    with pytest.raises(InputError, match=said):
        Target.of(text).get()


def test_inputs():
    first, second = random_inputs(["2,3", ""], "bfloat16", 5)
    assert first.shape == (2, 3) and second.shape == () and first.dtype == torch.bfloat16
    assert torch.equal(first, random_inputs(["2,3"], "bfloat16", 5)[0])
    assert len(given_inputs(lambda: [1, 2], "f")) == 2
    for wrong in (lambda: random_inputs(["2x3"], "float32", 0), lambda: random_inputs([], "int8", 0)):
        with pytest.raises(InputError):
            wrong()
    with pytest.raises(InputError, match="expected a tuple of inputs"):
        given_inputs(3, "three")


def test_the_command(source, capsys):
    target = f"{source}:square"
    assert main(["check", target, "--shape", "4,3", "--backward", "backward"]) == 0
    assert "no error found" in capsys.readouterr().out
    assert main(["check", target, "--inputs", "example", "--backward", "wrong", "--json"]) == 1
    assert '"kind": "constant factor"' in capsys.readouterr().out
    assert main(["check", target]) == 2
    assert "give --shape" in capsys.readouterr().err
    assert main(["check", target, "--shape", "3", "--case", "nonsense"]) == 2
