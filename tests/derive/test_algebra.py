"""Normal form: equal up to renaming and order, deltas eliminated, and never another value."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
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
I, J, K = (Index(f"@{letter}", "D") for letter in "ijk")


def evaluator(seed):
    return Evaluator(PROGRAM, draw_point(PROGRAM, np.random.default_rng(seed)))


def x(i):
    return Entry("x", (i,))


def a(i, j):
    return Entry("A", (i, j))


def test_summed_indices_have_no_names():
    first = sum_over([I, J], multiply(x(I), a(I, J), x(J)))
    second = sum_over([K, I], multiply(x(K), a(K, I), x(I)))
    assert first == second
    assert hash(first) == hash(second)


def test_transposed_patterns_differ():
    assert sum_over([I], multiply(a(I, J), x(I))) != sum_over([I], multiply(a(J, I), x(I)))


def test_a_delta_is_eliminated():
    assert sum_over([I], multiply(mask("=", I, J), x(I))) == x(J)
    assert sum_over([I, J], mask("=", I, J)) == sum_over([I], ONE)


def test_sums_that_do_not_meet_come_apart():
    both = sum_over([I, J], multiply(x(I), Entry("y", (J,))))
    assert isinstance(both, Multiply)
    assert all(isinstance(factor, Sum) for factor in both.factors)


def test_like_terms_are_merged():
    assert add(x(I), number(2), x(I), number(-2)) == multiply(number(2), x(I))
    assert subtract(multiply(x(I), x(J)), multiply(x(J), x(I))) == ZERO
    assert divide(multiply(x(I), x(J)), x(J)) == x(I)


def test_an_even_power_knows_no_sign():
    assert power(subtract(x(I), x(J)), number(2)) == power(subtract(x(J), x(I)), number(2))


def test_a_square_root_of_a_square_is_not_the_base():
    assert power(power(x(I), number(2)), number(Fraction(1, 2))) != x(I)


def test_nothing_is_captured_under_a_binder():
    inner = Apply("softmax", (array_of([K], a(I, K)),), (J,))
    moved = substitute(inner, {I: J})
    assert moved == Apply("softmax", (array_of([I], a(J, I)),), (J,))
    total = sum_over([J], multiply(moved, x(J)))
    indices, body = opened(total)
    assert closed(indices, body) == total


SCALARS = st.one_of(
    st.builds(number, st.integers(-3, 3)),
    st.sampled_from(
        [Entry("s", ()), x(I), x(J), Entry("y", (I,)), a(I, J), a(J, I), a(I, I), mask("=", I, J), mask("!=", I, J)]
    ),
)


def _larger(inner):
    return st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda terms: add(*terms)),
        st.lists(inner, min_size=2, max_size=3).map(lambda factors: multiply(*factors)),
        inner.map(lambda base: power(base, number(2))),
        inner.map(lambda argument: function("tanh", argument)),
        inner.map(lambda body: sum_over([J], body)),
    )


EXPRESSIONS = st.recursive(SCALARS, _larger, max_leaves=10)


def _raw_value(terms, operation, at):
    values = [np.asarray(at.entries(term, (I, J))) for term in terms]
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
        np.testing.assert_allclose(at.entries(build(*parts), (I, J)), expected, rtol=1e-9, atol=1e-9)


@given(EXPRESSIONS, st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_a_sum_over_an_index_is_numpys(body, seed):
    at = evaluator(seed)
    expected = np.asarray(at.entries(body, (I, J))).sum(axis=1)
    np.testing.assert_allclose(at.entries(sum_over([J], body), (I,)), expected, rtol=1e-9, atol=1e-9)


@given(EXPRESSIONS, st.integers(0, 5))
@settings(max_examples=150, deadline=None)
def test_renaming_expanding_and_factoring_keep_the_value(body, seed):
    at = evaluator(seed)
    value = at.entries(body, (I, J))
    k, m = fresh(I), fresh(J)
    renamed = substitute(body, {I: k, J: m})
    np.testing.assert_allclose(at.entries(renamed, (k, m)), value, rtol=1e-9, atol=1e-9)
    assert substitute(renamed, {k: I, m: J}) == body
    for change in (expanded, factored, lambda e: rebuilt(e, lambda part: part)):
        np.testing.assert_allclose(at.entries(change(body), (I, J)), value, rtol=1e-8, atol=1e-8)


def test_common_factors_are_found_under_other_names():
    total = add(sum_over([I], multiply(a(I, K), x(I))), sum_over([J], multiply(a(J, K), Entry("y", (J,)))))
    assert factored(total) == sum_over([I], multiply(a(I, K), add(x(I), Entry("y", (I,))))) or isinstance(total, Add)
    assert isinstance(factored(total), Sum)


@pytest.mark.parametrize(
    ("terms", "content"), [((2, 4), 2), ((-2, -4), -2), ((Fraction(1, 2), Fraction(1, 3)), Fraction(1, 6))]
)
def test_the_content_of_a_sum(terms, content):
    total = add(multiply(number(terms[0]), x(I)), multiply(number(terms[1]), x(J)))
    assert primitive_part(total)[0] == content
