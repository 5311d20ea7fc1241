"""The grammar: precedence, Unicode and LaTeX onto the same tree, round trips, and no input that crashes it."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.derive import FormulaError, lower_document, read_document, to_text
from gradus.derive.cursor import Cursor
from gradus.derive.grammar import DEEPEST, ExpressionParser
from gradus.derive.tree import Binary, Call, Condition, Name, Negate, Number, Reduce, Subscript, Transpose


def parse(text, declared=("W", "x", "y", "A", "B")):
    cursor = Cursor(text)
    tree = ExpressionParser(cursor, frozenset(declared)).expression()
    assert cursor.token.kind == "eof", cursor.token
    return tree


# the same formula in plain text, in Unicode, in LaTeX
SAME = [
    ("sigmoid(W @ x)^2", "σ(W@x)²", "\\sigma(W @ x)^{2}"),
    ("x.T @ A @ x", "xᵀ @ A @ x", "x^\\top @ A @ x", "x' @ A @ x", "x^T @ A @ x"),
    ("x/sqrt(2)", "x/√(2)", "\\frac{x}{\\sqrt{2}}"),
    ("norm(x - y)^2", "‖x − y‖²", "\\left\\lVert x - y \\right\\rVert^{2}"),
    ("sum[i!=j](A[i,j])", "∑[i≠j](A[i,j])", "\\sum_{i \\ne j}(A_{ij})"),
    ("log(x)*exp(y)", "ln(x)⊙exp(y)", "\\log(x) \\odot \\exp(y)"),
    ("lse(x)", "logsumexp(x)", "\\mathrm{logsumexp}(x)"),
    ("α*x", "α*x", "\\alpha \\odot x"),
]


@pytest.mark.parametrize("texts", SAME, ids=lambda texts: texts[0])
def test_one_formula_in_three_scripts_is_one_tree(texts):
    trees = [parse(text) for text in texts]
    assert all(tree == trees[0] for tree in trees)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("-x^2", "-(x^2)"),
        ("a - b - c", "(a - b) - c"),
        ("a/b*c", "(a/b)*c"),
        ("a @ b*c", "(a @ b)*c"),
        ("2^3^2", "2^(3^2)"),
        ("x^-1", "x^(-1)"),
        ("A.T[i,j]", "(A.T)[i,j]"),
        ("-a + b", "(-a) + b"),
        ("a*-b", "a*(-b)"),
    ],
)
def test_precedence(text, same):
    assert parse(text) == parse(same)


def test_an_exponent_called_t_is_a_transpose_unless_it_was_declared():
    assert parse("x^T") == Transpose(Name("x"))
    assert parse("x^T", declared=("x", "T")) == Binary("^", Name("x"), Name("T"))


NAMES = st.sampled_from(["x", "y", "A", "beta", "z1", "y_true"])
INDICES = st.sampled_from(["i", "j", "k"])
NUMBERS = st.fractions(min_value=0, max_value=99, max_denominator=8).filter(lambda f: f.denominator in {1, 2, 4, 8})


def _trees(inner):
    return st.one_of(
        st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "@", "^", ".^"]), inner, inner),
        st.builds(Negate, inner.filter(lambda tree: not isinstance(tree, Negate))),
        st.builds(Transpose, inner),
        st.builds(Call, st.sampled_from(["exp", "sigmoid", "tr"]), st.tuples(inner)),
        st.builds(Call, st.just("outer"), st.tuples(inner, inner)),
        st.builds(Subscript, inner, st.tuples(INDICES, st.sampled_from([None, 0, "j"]))),
        st.builds(lambda i, body: Reduce("sum", (i,), (), body), INDICES, inner),
        st.builds(
            lambda pair, body: Reduce("sum", pair, (Condition(pair[0], "!=", pair[1]),), body),
            st.sampled_from([("i", "j"), ("j", "k")]),
            inner,
        ),
    )


TREES = st.recursive(st.builds(Name, NAMES) | st.builds(Number, NUMBERS), _trees, max_leaves=14)


@given(TREES)
@settings(max_examples=300, deadline=None)
def test_what_is_printed_is_read_back(tree):
    declared = ("x", "y", "A", "beta", "z1", "y_true")
    assert parse(to_text(tree), declared) == tree


@given(st.text(alphabet="xyAWD0123456789.eE+-*/@^'()[]{},:=;!<>_ \n\\#σΣᵀ²‖", max_size=60))
@settings(max_examples=500, deadline=None)
def test_no_text_crashes_the_reader(text):
    try:
        lower_document(read_document(text))
    except FormulaError as error:
        assert 0 <= error.start <= len(text)
        assert str(error).startswith("line ")


WORDS = "x y W @ * / + - ^ .T ' ( ) [ ] i j , sum exp softmax = : ; vec mat ( D ) 2 claim d".split()  # noqa: SIM905


@given(st.lists(st.sampled_from(WORDS)))
@settings(max_examples=400, deadline=None)
def test_no_row_of_tokens_crashes_the_reader(words):
    text = "x: vec(D); W: mat(D, D); f = " + " ".join(words)
    try:
        lower_document(read_document(text))
    except FormulaError as error:
        assert error.sentence


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_no_unicode_crashes_the_reader(text):
    try:
        lower_document(read_document(text))
    except FormulaError:
        pass
    else:
        assert text.strip()


def test_deep_brackets_are_read_up_to_a_limit():
    inside = DEEPEST - 1
    assert parse("(" * inside + "x" + ")" * inside) == Name("x")
    with pytest.raises(FormulaError, match="nested"):
        parse("(" * 5000 + "x" + ")" * 5000)


def test_long_rows_and_long_documents_are_refused():
    assert parse(" + ".join(["x"] * 150))
    with pytest.raises(FormulaError, match="in one row"):
        parse(" + ".join(["x"] * 1000))
    with pytest.raises(FormulaError, match="at most 20,000"):
        read_document("f = x # " + "x" * 20_000)


def test_numbers_are_exact():
    assert parse("0.1") == Number(Fraction(1, 10))
    assert parse("1e-3") == Number(Fraction(1, 1000))
    assert to_text(Number(Fraction(1, 3))) == "1/3"
