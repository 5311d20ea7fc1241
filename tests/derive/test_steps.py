"""The worked derivation, with the numbers of the exercises."""

import numpy as np
import pytest

from gradus.derive import derive
from gradus.derive.formats.plain import left_text
from gradus.derive.text import to_text
from gradus.derive.values import read_values

IMAGE = [[4, 5, 2, 2, 1], [3, 3, 2, 2, 4], [4, 3, 4, 1, 1], [5, 1, 4, 1, 2], [5, 1, 3, 1, 4]]
WINDOW = [[4, 3, 3], [5, 5, 5], [2, 4, 3]]


def values(lines):
    return {left_text(line.left): line.value for line in lines}


def test_exercise_3_with_its_numbers():
    derivation = derive("f = (x^2 + sigmoid(y)) / (3*x + y - sigmoid(x))", at={"x": 1, "y": 0})
    forward, backward = values(derivation.forward), values(derivation.backward)
    assert forward["sigmoid(x)"] == pytest.approx(0.731, abs=5e-4)
    assert forward["a"] == pytest.approx(1.5)
    assert forward["b"] == pytest.approx(2.269, abs=5e-4)
    assert backward["df/dx"] == pytest.approx(0.0646, abs=5e-5)
    assert backward["df/dy"] == pytest.approx(-0.181, abs=5e-4)
    text = derivation.text()
    for line in (
        "a = x^2 + sigmoid(y) = 1.5",
        "sigmoid(x) = 0.7311",
        "b = 3*x + y - sigmoid(x) = 2.269",
        "df/db = -a/b^2 = -0.2914",
        "df/dx = 2*x/b - a*(3 - sigmoid(x)*(1 - sigmoid(x)))/b^2 = 0.06465",
        "df/dy = sigmoid(y)*(1 - sigmoid(y))/b - a/b^2 = -0.1812",
        "sigmoid' = sigmoid*(1 - sigmoid)",
        "quotient rule",
    ):
        assert line in text


def test_exercise_2_step_by_step():
    text = "x: vec(D); W: mat(K, D); b: vec(K); y: simplex(K); yhat = softmax(W @ x + b); L = -sum(y*log(yhat))"
    derivation = derive(text, "W")
    assert [(left_text(line.left), [to_text(r) for r in line.rights]) for line in derivation.backward] == [
        ("dL/dz", ["softmax(z) - y", "yhat - y"]),
        ("dL/dW", ["outer(dL/dz, x)", "outer(yhat - y, x)"]),
    ]
    assert derivation.forward[-1].remark == "rules of the logarithm; used: sum(y) = 1"


def test_exercise_5_with_its_numbers():
    derivation = derive("x: mat(5, 5); k: mat(3, 3); y = conv2d(x, k); L = sum(y)", "x", at={"x": IMAGE, "k": WINDOW})
    forward, backward = values(derivation.forward), values(derivation.backward)
    np.testing.assert_array_equal(forward["y"], [[109, 92, 72], [108, 85, 74], [110, 74, 79]])
    np.testing.assert_array_equal(
        backward["dL/dx"],
        [[4, 7, 10, 6, 3], [9, 17, 25, 16, 8], [11, 23, 34, 23, 11], [7, 16, 24, 17, 8], [2, 6, 9, 7, 3]],
    )


def test_values_are_those_of_the_formula_as_written():
    derivation = derive(
        "z: vec(K); y: simplex(K); p = softmax(z); L = -sum(y*log(p))", "z", at=read_values("z=[1,2,3],y=[0.5,0.5,0]")
    )
    p = np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum()
    assert values(derivation.forward)["L"] == pytest.approx(-(np.log(p[:2]) / 2).sum())
    np.testing.assert_allclose(values(derivation.backward)["dL/dz"], p - [0.5, 0.5, 0])


def test_long_closed_forms_name_their_parts():
    derivation = derive("x: vec(D); A: mat(D, D); f = log(1 + exp(sin(x.T @ A @ x))*cos(x.T @ A.T @ A @ x))", "x")
    closed = derivation.text().partition("Closed form")[2]
    assert "where" in closed


def test_names_that_gradus_gives_are_free():
    derivation = derive("z: mat(K, D); r: vec(D); h: vec(K); L = logsumexp(z @ r + h)", "z")
    names = [line.left.name for line in derivation.forward]
    assert len(set(names) & {"z", "r", "h"}) == 0
    assert derivation.closed_forms == {"z": "outer(softmax(z @ r + h), r)"}
