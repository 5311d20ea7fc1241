"""Normal form: equal up to renaming and order, deltas eliminated, and never another value."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradus.derive import Evaluator, draw_point, read_program
from gradus.derive.algebra import (
    ONE,
    ZERO,
    add,
    divide,
    function,
    mask,
    multiply,
    number,
    power,
    primitive_part,
    subtract,
    sum_over,
)
from gradus.derive.binding import array_of, closed, fresh, opened, rebuilt, substitute
from gradus.derive.expanding import expanded
from gradus.derive.factoring import factored
from gradus.derive.index_form import Add, Apply, Entry, Index, Multiply, Sum

PROGRAM = read_program("x: vec(D); y: vec(D); A: mat(D, D); s: scalar; f = s")
FIRST, SECOND, THIRD = (Index(f"@{letter}", "D") for letter in "ijk")


def evaluator(seed):
    return Evaluator(PROGRAM, draw_point(PROGRAM, np.random.default_rng(seed)))


def x(i):
    return Entry("x", (i,))


def a(i, j):
    return Entry("A", (i, j))


def test_summed_indices_have_no_names():
    first = sum_over([FIRST, SECOND], multiply(x(FIRST), a(FIRST, SECOND), x(SECOND)))
    second = sum_over([THIRD, FIRST], multiply(x(THIRD), a(THIRD, FIRST), x(FIRST)))
    assert first == second
    assert hash(first) == hash(second)


def test_transposed_patterns_differ():
    assert sum_over([FIRST], multiply(a(FIRST, SECOND), x(FIRST))) != sum_over(
        [FIRST], multiply(a(SECOND, FIRST), x(FIRST))
    )


def test_a_delta_is_eliminated():
    assert sum_over([FIRST], multiply(mask("=", FIRST, SECOND), x(FIRST))) == x(SECOND)
    assert sum_over([FIRST, SECOND], mask("=", FIRST, SECOND)) == sum_over([FIRST], ONE)


def test_sums_that_do_not_meet_come_apart():
    both = sum_over([FIRST, SECOND], multiply(x(FIRST), Entry("y", (SECOND,))))
    assert isinstance(both, Multiply)
    assert all(isinstance(factor, Sum) for factor in both.factors)


def test_like_terms_are_merged():
    assert add(x(FIRST), number(2), x(FIRST), number(-2)) == multiply(number(2), x(FIRST))
    assert subtract(multiply(x(FIRST), x(SECOND)), multiply(x(SECOND), x(FIRST))) == ZERO
    assert divide(multiply(x(FIRST), x(SECOND)), x(SECOND)) == x(FIRST)


def test_an_even_power_knows_no_sign():
    assert power(subtract(x(FIRST), x(SECOND)), number(2)) == power(subtract(x(SECOND), x(FIRST)), number(2))


def test_a_square_root_of_a_square_is_not_the_base():
    assert power(power(x(FIRST), number(2)), number(Fraction(1, 2))) != x(FIRST)


def test_nothing_is_captured_under_a_binder():
    inner = Apply("softmax", (array_of([THIRD], a(FIRST, THIRD)),), (SECOND,))
    moved = substitute(inner, {FIRST: SECOND})
    assert moved == Apply("softmax", (array_of([FIRST], a(SECOND, FIRST)),), (SECOND,))
    total = sum_over([SECOND], multiply(moved, x(SECOND)))
    indices, body = opened(total)
    assert closed(indices, body) == total


SCALARS = st.one_of(
    st.builds(number, st.integers(-3, 3)),
    st.sampled_from(
        [
            Entry("s", ()),
            x(FIRST),
            x(SECOND),
            Entry("y", (FIRST,)),
            a(FIRST, SECOND),
            a(SECOND, FIRST),
            a(FIRST, FIRST),
            mask("=", FIRST, SECOND),
            mask("!=", FIRST, SECOND),
        ]
    ),
)


def _larger(inner):
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: add(*terms)),
        st.lists(inner, min_size=2, max_size=3).map(lambda factors: multiply(*factors)),
        inner.map(lambda base: power(base, number(2))),
        inner.map(lambda argument: function("tanh", argument)),
        inner.map(lambda body: sum_over([SECOND], body)),
    )


EXPRESSIONS = st.recursive(SCALARS, _larger, max_leaves=10)


def _raw_value(terms, operation, at):
    values = [np.asarray(at.entries(term, (FIRST, SECOND))) for term in terms]
    result = values[0]
    for value in values[1:]:
        result = operation(result, value)
    return result


@given(st.lists(EXPRESSIONS, min_size=2, max_size=4), st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_sums_and_products_have_the_value_of_their_parts(parts, seed):
    at = evaluator(seed)
    for build, operation in ((add, np.add), (multiply, np.multiply)):
        expected = _raw_value(parts, operation, at)
        np.testing.assert_allclose(at.entries(build(*parts), (FIRST, SECOND)), expected, rtol=1e-9, atol=1e-9)


@given(EXPRESSIONS, st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_a_sum_over_an_index_is_numpys(body, seed):
    at = evaluator(seed)
    expected = np.asarray(at.entries(body, (FIRST, SECOND))).sum(axis=1)
    np.testing.assert_allclose(at.entries(sum_over([SECOND], body), (FIRST,)), expected, rtol=1e-9, atol=1e-9)


@given(EXPRESSIONS, st.integers(0, 5))
@example(function("tanh", sum_over([SECOND], multiply(number(-1), add(number(1), a(FIRST, SECOND))))), 0)
@settings(max_examples=150, deadline=None)
def test_renaming_expanding_and_factoring_keep_the_value(body, seed):
    at = evaluator(seed)
    value = at.entries(body, (FIRST, SECOND))
    k, m = fresh(FIRST), fresh(SECOND)
    renamed = substitute(body, {FIRST: k, SECOND: m})
    np.testing.assert_allclose(at.entries(renamed, (k, m)), value, rtol=1e-9, atol=1e-9)
    assert substitute(renamed, {k: FIRST, m: SECOND}) == body
    for change in (expanded, factored, lambda e: rebuilt(e, lambda part: part)):
        np.testing.assert_allclose(at.entries(change(body), (FIRST, SECOND)), value, rtol=1e-8, atol=1e-8)


def test_common_factors_are_found_under_other_names():
    total = add(
        sum_over([FIRST], multiply(a(FIRST, THIRD), x(FIRST))),
        sum_over([SECOND], multiply(a(SECOND, THIRD), Entry("y", (SECOND,)))),
    )
    assert factored(total) == sum_over(
        [FIRST], multiply(a(FIRST, THIRD), add(x(FIRST), Entry("y", (FIRST,))))
    ) or isinstance(total, Add)
    assert isinstance(factored(total), Sum)


@pytest.mark.parametrize(
    ("terms", "content"), [((2, 4), 2), ((-2, -4), -2), ((Fraction(1, 2), Fraction(1, 3)), Fraction(1, 6))]
)
def test_the_content_of_a_sum(terms, content):
    total = add(multiply(number(terms[0]), x(FIRST)), multiply(number(terms[1]), x(SECOND)))
    assert primitive_part(total)[0] == content
