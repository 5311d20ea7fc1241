"""Values of the language's functions, against NumPy and SciPy; and in fractions and mpmath's numbers."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import scipy.special

from gradus.derive import FRACTIONS, Evaluator, Point, draw_point, high_precision, read_program
from gradus.derive.functions import CALLABLE

HEAD = (
    "x: vec(D); y: vec(D); A: mat(D, D); S: spd(D); B: mat(N, D); P: positive mat(N, D); s: positive; "
    "G: mat(6, 5); k: mat(3, 2)\n"
)
# formula -> the same in NumPy, of the values by name
VALUES = {
    "exp(x)": lambda v: np.exp(v.x),
    "log(P)": lambda v: np.log(v.P),
    "log1p(P)": lambda v: np.log1p(v.P),
    "tanh(B)": lambda v: np.tanh(v.B),
    "sigmoid(B)": lambda v: scipy.special.expit(v.B),
    "softplus(x)": lambda v: np.logaddexp(0, v.x),
    "relu(x)": lambda v: np.maximum(v.x, 0),
    "abs(x)": lambda v: np.abs(v.x),
    "sqrt(P)": lambda v: np.sqrt(v.P),
    "sin(x) + cos(x)": lambda v: np.sin(v.x) + np.cos(v.x),
    "erf(B)": lambda v: scipy.special.erf(v.B),
    "sign(x)*step(y)": lambda v: np.sign(v.x) * (v.y > 0),
    "huber(x, s)": lambda v: scipy.special.huber(v.s, v.x),
    "clip(x, -s, s)": lambda v: np.clip(v.x, -v.s, v.s),
    "maximum(x, y) - minimum(x, y)": lambda v: np.abs(v.x - v.y),
    "max(0, x)": lambda v: np.maximum(v.x, 0),
    "sum(B) + mean(B)": lambda v: v.B.sum() + v.B.mean(),
    "rowsum(B)": lambda v: v.B.sum(1),
    "colsum(B)": lambda v: v.B.sum(0),
    "norm(B)": lambda v: np.linalg.norm(v.B),
    "max(B)": lambda v: v.B.max(1),
    "argmax(x)": lambda v: np.eye(len(v.x))[v.x.argmax()],
    "softmax(B)": lambda v: scipy.special.softmax(v.B, axis=1),
    "logsumexp(B)": lambda v: scipy.special.logsumexp(v.B, axis=1),
    "tr(A)": lambda v: np.trace(v.A),
    "det(A)": lambda v: np.linalg.det(v.A),
    "logdet(S)": lambda v: np.linalg.slogdet(v.S)[1],
    "inv(S)": lambda v: scipy.linalg.inv(v.S),
    "diag(x) + diag(diag(A))": lambda v: np.diag(v.x) + np.diag(np.diag(v.A)),
    "outer(x, y)": lambda v: np.outer(v.x, v.y),
    "cumsum(x)": lambda v: np.cumsum(v.x),
    "conv2d(G, k)": lambda v: scipy.signal.correlate2d(v.G, v.k, mode="valid"),
    "conv2d_transpose(G, k)": lambda v: scipy.signal.convolve2d(v.G, v.k),
    "ones(D) @ eye(D) @ tri(D)": None,
    "x.T @ A @ y": lambda v: v.x @ v.A @ v.y,
    "B @ x": lambda v: v.B @ v.x,
    "B @ A.T": lambda v: v.B @ v.A.T,
    "B - x": lambda v: v.B - v.x,
    "(x + y)/s*2": lambda v: (v.x + v.y) / v.s * 2,
    "A .^ 2": lambda v: v.A**2,
    "sum[i,j](B[i,j]*x[j])": lambda v: np.einsum("ij,j->", v.B, v.x),
    "sum[i!=j](A[i,j])": lambda v: v.A.sum() - np.trace(v.A),
    "sum[i<j](A[i,j])": lambda v: np.triu(v.A, 1).sum(),
    "sum[i>=j](A[i,j])": lambda v: np.tril(v.A).sum(),
    "sum[i](B[i,:])": lambda v: v.B.sum(0),
    "mean[i](x[i]^2)": lambda v: (v.x**2).mean(),
    "logsumexp[i](x[i]*2)": lambda v: scipy.special.logsumexp(2 * v.x),
    "A[0,1] + x[0]": lambda v: v.A[0, 1] + v.x[0],
    "sum[i](A[i,i]*x[i])": lambda v: np.diag(v.A) @ v.x,
    "D + N*pi": lambda v: 3 + 2 * np.pi,
}
del VALUES["ones(D) @ eye(D) @ tri(D)"]


class Values:
    def __init__(self, values):
        self.__dict__.update(values)


@pytest.mark.parametrize("formula", VALUES)
def test_a_formula_has_numpys_value(formula):
    program = read_program(HEAD + "f = " + formula)
    for seed in range(3):
        point = draw_point(program, np.random.default_rng(seed))
        found = Evaluator(program, point).array("f")
        np.testing.assert_allclose(found, VALUES[formula](Values(point.values)), rtol=1e-12, atol=1e-12)


def test_every_function_of_the_language_is_evaluated():
    told = {name for name in CALLABLE if any(f"{name}(" in formula for formula in VALUES)}
    assert set(CALLABLE) - told == {"ones", "eye", "tri"}


def test_constant_arrays():
    program = read_program("x: vec(D); f = outer(ones(D), ones(D)) + 2*eye(D) + 4*tri(D)")
    found = Evaluator(program, Point({"D": 2}, {"x": np.zeros(2)})).array("f")
    np.testing.assert_array_equal(found, [[7, 1], [5, 7]])


def draw_exact(program, generator, sizes):
    """Return small fractions, for variables without domains or spd."""
    found = {}
    for name, variable in program.variables.items():
        numbers = generator.integers(-3, 4, size=[sizes[size] for size in variable.shape])
        numbers = numbers @ numbers.T + np.eye(len(numbers), dtype=int) if "spd" in variable.domains else numbers
        found[name] = np.asarray(np.frompyfunc(lambda v: Fraction(int(v), 2), 1, 1)(numbers), dtype=object)
    return found


EXACT = "x: vec(D); A: mat(D, D); S: spd(D); f = x.T @ inv(S) @ A @ x/3 + det(S) + sum(abs(x)) + norm(A)^2 + max(x)"


def test_fractions_are_exact():
    program = read_program(EXACT)
    point = Point({"D": 3}, draw_exact(program, np.random.default_rng(1), {"D": 3}))
    exact = Evaluator(program, point, FRACTIONS).array("f")[()]
    assert isinstance(exact, Fraction)
    rounded = Point({"D": 3}, {name: value.astype(float) for name, value in point.values.items()})
    assert float(exact) == pytest.approx(float(Evaluator(program, rounded).array("f")), rel=1e-13)
    with pytest.raises(ArithmeticError, match="exp"):
        Evaluator(read_program("x: scalar; f = exp(x)"), Point({}, {"x": np.array(Fraction(1))}), FRACTIONS).array("f")


@pytest.mark.parametrize(
    "formula", ["logsumexp(x) + logdet(S)", "sum(softmax(A @ x)*erf(x))", "sum(softplus(x)*sigmoid(x))"]
)
def test_mpmath_agrees_to_all_digits_of_a_float(formula):
    program = read_program("x: vec(D); A: mat(D, D); S: spd(D); f = " + formula)
    point = Point({"D": 3}, draw_exact(program, np.random.default_rng(2), {"D": 3}))
    arithmetic = high_precision(40)
    exact = {name: np.vectorize(arithmetic.convert, otypes=[object])(value) for name, value in point.values.items()}
    found = Evaluator(program, Point(point.sizes, exact), arithmetic).array("f")[()]
    rounded = Point(point.sizes, {name: value.astype(float) for name, value in point.values.items()})
    assert float(found) == pytest.approx(float(Evaluator(program, rounded).array("f")), rel=1e-12)
    assert len(str(found)) > 30
