"""Values given for a point: read, and refused with a sentence."""

import numpy as np
import pytest

from gradus.core.errors import InputError
from gradus.derive import read_program
from gradus.derive.values import point_from, read_values, shown

PROGRAM = read_program("x: vec(D); A: spd(D); y: simplex(K); s: positive; n: integer; f = sum(x)")
GOOD = {"x": [1, 2], "A": [[2, 0], [0, 2]], "y": [0.5, 0.5, 0], "s": 1, "n": 2}
WRONG = {
    "a missing variable": ({"x": None}, ["no value", "x"]),
    "an unknown variable": ({"z": 1}, ["z", "expected x"]),
    "another shape": ({"x": [[1, 2]]}, ["(1, 2)", "(D)"]),
    "another size": ({"x": [1, 2, 3]}, ["2", "3"]),
    "text": ({"x": ["a", "b"]}, ["numbers"]),
    "NaN": ({"x": [1, float("nan")]}, ["finite"]),
    "a negative positive number": ({"s": -1}, ["not positive"]),
    "a simplex that does not sum to 1": ({"y": [0.5, 0.6, 0]}, ["not simplex"]),
    "an indefinite matrix": ({"A": [[1, 2], [2, 1]]}, ["not spd"]),
    "a fraction for an integer": ({"n": 1.5}, ["not integer"]),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_values_are_refused(what):
    changed, words = WRONG[what]
    values = {name: value for name, value in (GOOD | changed).items() if value is not None}
    with pytest.raises(InputError) as caught:
        point_from(PROGRAM, values)
    assert all(word in str(caught.value) for word in words)


def test_good_values_are_taken():
    assert point_from(PROGRAM, GOOD).sizes == {"D": 2, "K": 3}


@pytest.mark.parametrize("text", ["x", "=1", "x=a", "x=[1", "x=1=2"])
def test_text_that_is_no_value(text):
    with pytest.raises(InputError, match="--at"):
        read_values(text)


def test_values_are_shown_with_four_digits():
    assert shown(np.array([[0.12345, 1e-9], [3.0, -2.5]])) == "[[0.1235, 1e-09], [3, -2.5]]"
