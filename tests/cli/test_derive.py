"""``gradus derive`` at the shell."""

import json

import pytest

from gradus.cli import main

SOFTMAX = "x: vec(D); W: mat(K, D); y: simplex(K); p = softmax(W @ x); L = -sum(y*log(p))"


def test_a_formula_and_a_point(capsys):
    assert main(["derive", "f = (x^2 + sigmoid(y)) / (3*x + y - sigmoid(x))", "--at", "x=1,y=0"]) == 0
    told = capsys.readouterr().out
    assert "= 0.06465" in told
    assert "= -0.1812" in told


@pytest.mark.parametrize("form", ["text", "latex", "markdown", "html", "numpy", "torch", "json"])
def test_every_format_is_printed(form, capsys):
    assert main(["derive", SOFTMAX, "--wrt", "W", "--format", form]) == 0
    told = capsys.readouterr().out
    words = {"latex": "\\frac{\\partial L}", "html": "<math", "numpy": "np.outer", "torch": "torch.outer"}
    assert words.get(form, "outer(p - y, x)" if form != "markdown" else "$$") in told


def test_one_json_object(capsys):
    assert main(["derive", SOFTMAX, "--wrt", "W,x", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [form["right"] for form in data["closed_forms"]] == ["outer(p - y, x)", "W.T @ (p - y)"]


def test_a_file_and_a_document(tmp_path, capsys):
    head = tmp_path / "model.txt"
    head.write_text(SOFTMAX.replace("; ", "\n"))
    assert main(["derive", str(head), "g = 2*L", "--wrt", "W"]) == 0
    assert "dg/dW = 2*outer(p - y, x)" in capsys.readouterr().out
    page = tmp_path / "notes.md"
    page.write_text(f"# Notes\n\n```gradus\n{SOFTMAX}\n```\n\n```python\nx = 1\n```\n")
    assert main(["derive", str(page), "--wrt", "W"]) == 0
    assert "dL/dW = outer(p - y, x)" in capsys.readouterr().out


WRONG = {
    "no formula": ([], "no formula"),
    "a wrong formula": (["x: vec(D); f = sum(x + z)"], "line 1, column 24: 'z' is not declared"),
    "a missing file": (["nowhere.md"], "nowhere.md: there is no such file"),
    "an unknown variable": (["f = x^2", "--wrt", "z"], "--wrt z"),
    "an unknown order": (["f = x^2", "--order", "third"], "third"),
    "a value that is no number": (["f = x^2", "--at", "x=a"], "'a' is neither a number nor a list"),
    "a vector": (["x: vec(D); f = 2*x"], "--order jacobian"),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_usage_gets_a_sentence(what, capsys):
    arguments, words = WRONG[what]
    assert main(["derive", *arguments]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert not told.out
    assert "Traceback" not in told.err


def test_a_caret_stands_under_the_place(capsys):
    assert main(["derive", "x: vec(D); f = sum(x + z)"]) == 2
    shown, carets = capsys.readouterr().err.rstrip("\n").split("\n")[1:]
    assert shown[carets.index("^")] == "z"


def test_the_room_is_the_function():
    import gradus

    assert gradus.derive("x: vec(D); f = x.T @ x").closed_forms == {"x": "2*x"}
    assert gradus.derive.derive is not None
