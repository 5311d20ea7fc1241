"""Reading documents: what is understood, and a caret and a sentence for everything that is not."""

import pytest

from gradus.derive import FormulaError, derive, lower_document, read_document
from gradus.derive.errors import line_and_column
from gradus.derive.tree import Name

# what is wrong -> (text, words of the sentence, the characters above the caret)
WRONG = {
    "an unknown character": ("f = x ? 3", ["'?'"], "?"),
    "a times sign": ("f = x × y", ["two things"], "×"),
    "an unknown LaTeX command": ("f = \\foo", ["\\foo"], "\\foo"),
    "a near miss of a LaTeX command": ("f = \\fracc{1}{2}", ["\\frac"], "\\fracc"),
    "juxtaposition": ("f = 2x", ["side by side", "`*`"], "x"),
    "juxtaposition of brackets": ("f = (x)(y)", ["side by side"], "("),
    "a misspelt function": ("f = sigmod(x)", ["sigmoid"], "sigmod"),
    "a variable called": ("x: scalar; f = x(3)", ["'x' is a variable"], "x"),
    "a function without argument": ("f = exp + 1", ["exp(x)"], "exp"),
    "too many arguments": ("f = exp(x, y)", ["2 arguments", "expected 1"], "exp(x, y)"),
    "an open bracket": ("f = (x + 1", ["not closed", "`)`"], "("),
    "a closing bracket too many": ("f = x)", ["closes nothing"], ")"),
    "the wrong closing bracket": ("f = (x]", ["`)`"], "]"),
    "nothing after an operator": ("f = x +", ["end of the text"], ""),
    "nothing before a plus": ("f = +x", ["nothing before"], "+"),
    "two minus signs": ("f = x - --y", ["two minus"], "--"),
    "an empty document": ("", ["no formula"], ""),
    "declarations only": ("x: vec(D)", ["no formula"], ""),
    "an equation": ("1 + 2 = 3", ["claim"], "1 + 2"),
    "a name twice": ("x: scalar; x = 3", ["twice"], "x"),
    "a name that is a function": ("exp: scalar; f = 1", ["function"], "exp"),
    "a name that is a word": ("pi: scalar; f = 1", ["word"], "pi"),
    "a name that is a size": ("x: vec(D); D = 3", ["size"], "D"),
    "a size that is a variable": ("x: scalar; y: vec(x); f = x", ["rename"], "y: vec(x)"),
    "an unknown type": ("x: vektor(D)", ["vec"], "vektor"),
    "a vector with two sizes": ("x: vec(D, K); f = 1", ["expected 1"], "vec(D, K)"),
    "a matrix without sizes": ("X: mat; f = 1", ["mat(N, D)"], "mat"),
    "a symmetric rectangle": ("X: mat(N, D) symmetric; f = 1", ["square"], "mat(N, D) symmetric"),
    "a simplex without a size": ("x: simplex; f = 1", ["simplex(K)"], "simplex"),
    "a size of zero": ("x: vec(0); f = 1", ["size 0"], "0"),
    "a size that is an expression": ("x: vec(D+1); f = 1", ["`)`"], "+"),
    "an undeclared name": ("x: scalar; f = x + z", ["'z'", "z: scalar"], "z"),
    "a near miss of a name": ("theta: scalar; f = tehta", ["did you mean 'theta'"], "tehta"),
    "an index that is not bound": ("x: vec(D); f = x[i]", ["sum[i]"], "x[i]"),
    "an index with the name of a variable": (
        "x: vec(D); i: scalar; f = sum[i](x[i])",
        ["another letter"],
        "sum[i](x[i])",
    ),
    "an index that is used nowhere": ("x: vec(D); f = sum[j](3)", ["used nowhere"], "sum[j](3)"),
    "an index over two sizes": ("x: vec(D); y: vec(K); f = sum[i](x[i]*y[i])", ["runs over D", "K"], "y[i]"),
    "an index as a value": ("x: vec(D); f = sum[i](i*x[i])", ["index"], "i"),
    "arithmetic of indices": ("x: vec(D); f = sum[i](x[i+1])", ["conv2d"], "+"),
    "a position that is a decimal": ("x: vec(3); f = x[0.5]", ["whole number"], "0.5"),
    "a position outside": ("x: vec(3); f = x[3]", ["0 to 2"], "x[3]"),
    "a position that may not exist": ("x: vec(D); f = x[5]", ["may not exist"], "x[5]"),
    "too few indices": ("X: mat(N, D); f = sum[i](X[i])", ["expected 2"], "X[i]"),
    "a sum without its own index": ("x: vec(D); f = sum[i](sum[i](x[i]))", ["bound already"], "sum[i](x[i])"),
    "a condition between sizes": ("x: vec(D); y: vec(K); f = sum[i!=j](x[i]*y[j])", ["sizes D and K"], None),
    "shapes that do not fit": ("x: vec(D); y: vec(K); f = sum(x + y)", ["vector (D)", "vector (K)"], "x + y"),
    "a product that does not fit": ("W: mat(K, D); x: vec(K); f = sum(W @ x)", ["inner sizes are D and K"], "W @ x"),
    "a row and a column": ("x: vec(D); f = sum(x + x.T)", ["row", "outer"], "x + x.T"),
    "a product of columns and a matrix": ("x: vec(D); A: mat(D, D); f = sum(x @ A)", ["x.T"], "x @ A"),
    "a matrix product of scalars": ("x: scalar; f = x @ x", ["`*`"], "x @ x"),
    "a power of a square matrix": ("A: mat(D, D); f = tr(A^2)", ["two things", "A @ A"], "A^2"),
    "a vector for rows and columns": ("A: mat(D, D); b: vec(D); f = sum(A + b)", ["outer(ones(D)"], "A + b"),
    "an exponent that is a vector": ("x: vec(D); f = sum(2^x)", ["exponent"], "2^x"),
    "a dot between arrays": ("x: vec(D); f = x \\cdot x", ["two things"], "x \\cdot x"),
    "a trace of a rectangle": ("A: mat(N, D); f = tr(A)", ["square"], "tr(A)"),
    "a convolution of named sizes": ("A: mat(N, D); B: mat(3, 3); f = sum(conv2d(A, B))", ["numbers"], None),
    "a window that is too large": ("A: mat(2, 2); B: mat(3, 3); f = sum(conv2d(A, B))", ["larger"], None),
    "entries that are vectors": ("X: mat(N, D); f[i] = X[i,:]", ["scalar on its right"], "X[i,:]"),
    "an index twice on the left": ("X: mat(N, N); f[i,i] = X[i,i]", ["different names"], "i"),
    "a claim without an equals sign": ("f = 1; claim f", ["two sides"], None),
    "a claim of an unknown function": ("x: scalar; f = x; claim df/dz = 1", ["'z'"], "df/dz"),
    "a number out of range": ("f = 1e999", ["out of range"], "1e999"),
    "a quotation": ('f = "x"', ["no text"], '"'),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_formula_gets_a_sentence_and_a_caret(what):
    text, words, marked = WRONG[what]
    with pytest.raises(FormulaError) as caught:
        lower_document(read_document(text))
    error = caught.value
    assert all(word in error.sentence for word in words), error.sentence
    assert "\n" not in error.sentence
    if marked is not None:
        assert text[error.start : error.end] == marked
    shown, carets = str(error).split("\n")[1:]
    assert carets.strip().strip("^") == ""
    if marked:
        place = carets.index("^")
        assert shown[place : place + len(carets.strip())] == marked


def test_the_caret_stands_in_the_right_line():
    text = "x: vec(D)\ny: vec(D)\nf = x @ z\n"
    with pytest.raises(FormulaError, match="line 3, column 9") as caught:
        lower_document(read_document(text))
    assert line_and_column(text, caught.value.start) == (3, 9)


def test_a_long_line_is_shown_around_the_caret():
    text = "f = " + " + ".join(["x"] * 100) + " + ?"
    with pytest.raises(FormulaError) as caught:
        read_document(text)
    shown, carets = str(caught.value).split("\n")[1:]
    assert len(shown) < 110
    assert shown[carets.index("^")] == "?"


def test_statements_are_read_in_order():
    document = read_document(
        "# a comment\nx, z: positive vec(D); P: mat(N, N) symmetric joint\nl: positive  # of the penalty\n"
        "a[i, j] = P[i, j]*l\nf = sum[i != j](\n  a[i, j]\n)\nx.T @ z"
    )
    assert document.variables["z"].shape == ("D",)
    assert document.variables["z"].domains == {"positive"}
    assert document.variables["P"].domains == {"symmetric", "joint"}
    assert list(document.definitions) == ["a", "f", "g"]
    assert document.definitions["a"].indices == ("i", "j")


def test_claims_are_told_from_derivatives():
    document = read_document("x: vec(D); f = x.T @ x; claim df/dx[i] = 2*x[i]; claim f = norm(x)^2; claim ∂f/∂x = 2*x")
    first, second, third = document.claims
    assert first.differential == ("f", None, "x", ("i",))
    assert second.differential is None
    assert second.left == Name("f")
    assert third.differential == ("f", None, "x", None)
    assert first.source == "claim df/dx[i] = 2*x[i]"


def test_without_declarations_all_names_are_numbers():
    program = lower_document(read_document("f = x*y + z"))
    assert list(program.variables) == ["x", "y", "z"]
    assert all(variable.shape == () for variable in program.variables.values())


def test_a_name_that_is_declared_wins_over_a_function():
    derivation = derive("σ: positive; x: scalar; f = x^2/(2*σ^2)", "x")
    assert derivation.closed_forms == {"x": "x/σ^2"}
