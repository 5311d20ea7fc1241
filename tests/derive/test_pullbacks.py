"""The table of pullbacks, line by line, against torch's autograd; and derivatives of every order."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from gradus.core.errors import InputError
from gradus.derive import Evaluator, derive
from gradus.derive.functions import CONVENTIONS
from gradus.derive.pullbacks import ARRAY_PULLBACKS, PARTIALS

HEAD = (
    "x: vec(D); y: vec(D); u: vec(D); A: mat(D, D); S: spd(D); t: positive; G: mat(3, 2); H: mat(3, 4); k: mat(2, 2); "
)
# primitive -> (scalar formula, the same in torch)
LINES = {
    "exp": ("sum(u*exp(x))", lambda v: (v["u"] * v["x"].exp()).sum()),
    "log": ("sum(u*log(1 + x^2))", lambda v: (v["u"] * (1 + v["x"] ** 2).log()).sum()),
    "log1p": ("sum(u*log1p(x^2))", lambda v: (v["u"] * (v["x"] ** 2).log1p()).sum()),
    "tanh": ("sum(u*tanh(x))", lambda v: (v["u"] * v["x"].tanh()).sum()),
    "sigmoid": ("sum(u*sigmoid(x))", lambda v: (v["u"] * v["x"].sigmoid()).sum()),
    "softplus": ("sum(u*softplus(x))", lambda v: (v["u"] * F.softplus(v["x"])).sum()),
    "relu": ("sum(u*relu(x))", lambda v: (v["u"] * v["x"].relu()).sum()),
    "abs": ("sum(u*abs(x))", lambda v: (v["u"] * v["x"].abs()).sum()),
    "sin": ("sum(u*sin(x))", lambda v: (v["u"] * v["x"].sin()).sum()),
    "cos": ("sum(u*cos(x))", lambda v: (v["u"] * v["x"].cos()).sum()),
    "erf": ("sum(u*erf(x))", lambda v: (v["u"] * v["x"].erf()).sum()),
    "huber": ("sum(u*huber(x, t))", lambda v: (v["u"] * _huber(v["x"], v["t"])).sum()),
    "clip": ("sum(u*clip(x, -t, y))", lambda v: (v["u"] * torch.minimum(torch.maximum(v["x"], -v["t"]), v["y"])).sum()),
    "maximum": ("sum(u*maximum(x, y))", lambda v: (v["u"] * torch.maximum(v["x"], v["y"])).sum()),
    "minimum": ("sum(u*minimum(x, y))", lambda v: (v["u"] * torch.minimum(v["x"], v["y"])).sum()),
    "sign": ("sum(u*sign(x)*x^2)", lambda v: (v["u"] * v["x"].sign() * v["x"] ** 2).sum()),
    "step": ("sum(u*step(x)*x^3)", lambda v: (v["u"] * (v["x"] > 0) * v["x"] ** 3).sum()),
    "pi": ("sum(u*x)/pi", lambda v: v["u"] @ v["x"] / torch.pi),
    "softmax": ("u.T @ softmax(A @ x)", lambda v: v["u"] @ torch.softmax(v["A"] @ v["x"], 0)),
    "logsumexp": ("u.T @ logsumexp(A)", lambda v: v["u"] @ torch.logsumexp(v["A"], 1)),
    "max": ("u.T @ max(A)", lambda v: v["u"] @ v["A"].amax(1)),
    "argmax": ("x.T @ argmax(y)", lambda v: v["x"][v["y"].argmax()] + 0 * v["y"].sum()),
    "inv": ("u.T @ inv(S) @ x", lambda v: v["u"] @ torch.linalg.inv(v["S"]) @ v["x"]),
    "logdet": ("t*logdet(S)", lambda v: v["t"] * torch.linalg.slogdet(v["S"])[1]),
    "det": ("t*det(A)", lambda v: v["t"] * torch.linalg.det(v["A"])),
    "conv2d": (
        "sum(conv2d(H, k)^3)",
        lambda v: (F.conv2d(v["H"][None, None], v["k"][None, None]) ** 3).sum(),
    ),
    "conv2d_transpose": (
        "sum(conv2d_transpose(G, k)^3)",
        lambda v: (F.conv_transpose2d(v["G"][None, None], v["k"][None, None]) ** 3).sum(),
    ),
}


def _huber(x, t):
    return torch.where(x.abs() <= t, x * x / 2, t * (x.abs() - t / 2))


def test_every_line_of_the_table_is_tested():
    assert set(PARTIALS) | set(ARRAY_PULLBACKS) == set(LINES)


@pytest.mark.parametrize("primitive", LINES)
def test_a_line_of_the_table(primitive):
    formula, reference = LINES[primitive]
    derivation = derive(HEAD + "f = " + formula)
    _compare(derivation, reference)


def _compare(derivation, reference):
    program = derivation.differentiated.prepared.program
    for evaluator in derivation.differentiated.prepared.rewriter.evaluators:
        values = {name: torch.tensor(value, requires_grad=True) for name, value in evaluator.point.values.items()}
        wanted = [values[derivative.variable] for derivative in derivation.derivatives]
        expected = torch.autograd.grad(reference(values), wanted)
        at = Evaluator(program, evaluator.point)
        for derivative, gradient in zip(derivation.derivatives, expected, strict=True):
            found = at.entries(derivative.expression, derivative.axes)
            np.testing.assert_allclose(found, gradient.numpy(), rtol=1e-9, atol=1e-10, err_msg=derivative.variable)


def test_conventions_at_kinks_are_said_and_are_torchs():
    derivation = derive("x: vec(D); f = sum(relu(x) + abs(x))", "x")
    assert derivation.conventions == (CONVENTIONS["relu"], CONVENTIONS["abs"])
    zero = torch.zeros(3, requires_grad=True, dtype=torch.float64)
    (zero.relu() + zero.abs()).sum().backward()
    namespace = {}
    exec(derivation.numpy(), namespace)
    np.testing.assert_array_equal(namespace["f_and_gradient"](np.zeros(3))[1], zero.grad.numpy())
    assert "at kinks: relu'(0) = 0" in derivation.text()


def _values(derivation):
    evaluator = derivation.differentiated.prepared.rewriter.evaluators[0]
    return evaluator, {name: torch.tensor(value) for name, value in evaluator.point.values.items()}


def _found(derivation):
    evaluator, _ = _values(derivation)
    return [evaluator.entries(d.expression, d.axes) for d in derivation.derivatives]


MODEL = "X: mat(N, D); w: vec(D); y: vec(N); "


def _loss(X, w, y):
    return (F.softplus(X @ w) - y * (X @ w)).sum()


def test_a_hessian():
    derivation = derive(MODEL + "L = sum(softplus(X @ w) - y*(X @ w))", "w", order="hessian")
    assert derivation.closed_forms == {"w": "X.T @ diag(sigmoid(X @ w)*(1 - sigmoid(X @ w))) @ X"}
    _, v = _values(derivation)
    expected = torch.autograd.functional.hessian(lambda w: _loss(v["X"], w, v["y"]), v["w"])
    np.testing.assert_allclose(_found(derivation)[0], expected, rtol=1e-9)


def test_a_hessian_product_of_a_matrix():
    text = "X: mat(N, D); W: mat(D, K); Y: mat(N, K) simplex; P = softmax(X @ W); L = -sum(Y*log(P))"
    derivation = derive(text, "W", order="hvp")
    assert derivation.closed_forms == {"W": "X.T @ (P*(X @ v) - diag(rowsum(P*(X @ v))) @ P)"}
    _, v = _values(derivation)
    expected = torch.autograd.functional.hvp(
        lambda W: F.cross_entropy(v["X"] @ W, v["Y"], reduction="sum"), v["W"], v["v"]
    )[1]
    np.testing.assert_allclose(_found(derivation)[0], expected, rtol=1e-9, atol=1e-12)


def test_a_jacobian():
    derivation = derive("z: vec(K); p = softmax(z)", order="jacobian")
    assert derivation.closed_forms == {"z": "diag(p) - outer(p, p)"}
    _, v = _values(derivation)
    expected = torch.func.jacrev(lambda z: torch.softmax(z, 0))(v["z"])
    np.testing.assert_allclose(_found(derivation)[0], expected, rtol=1e-9)


def test_a_jacobian_of_a_matrix_has_four_axes():
    derivation = derive("X: mat(N, D); A: mat(D, D); Y = tanh(X @ A)", order="jacobian")
    _, v = _values(derivation)
    expected = torch.func.jacrev(lambda X, A: torch.tanh(X @ A), argnums=(0, 1))(v["X"], v["A"])
    for found, reference in zip(_found(derivation), expected, strict=True):
        np.testing.assert_allclose(found, reference, rtol=1e-9, atol=1e-12)


def test_a_pullback():
    derivation = derive("x: vec(D); W: mat(K, D); p = softmax(W @ x)", order="pullback")
    assert derivation.closed_forms["W"] == "outer(p*(pbar - pbar.T @ p), x)"
    _, v = _values(derivation)
    _, pull = torch.func.vjp(lambda x, W: torch.softmax(W @ x, 0), v["x"], v["W"])
    for found, reference in zip(_found(derivation), pull(v["pbar"]), strict=True):
        np.testing.assert_allclose(found, reference, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("text", "wrt", "order", "words"),
    [
        ("x: vec(D); f = 2*x", "x", "gradient", "--order jacobian"),
        ("x: vec(D); y: vec(D); f = sum(x)", "y", "gradient", "does not depend on y"),
        ("x: vec(D); f = sum(x)", "z", "gradient", "expected one of x"),
        ("x: vec(D); f = sum(x)", "x", "gradeint", "gradient"),
        ("x: vec(D); y: vec(D); f = x.T @ y", "x,y", "hessian", "one variable"),
        ("x: vec(D); claim x = x", "x", "gradient", "no formula"),
        ("x: vec(D); f = 3", None, "gradient", "depends on no variable"),
    ],
)
def test_what_cannot_be_derived_gets_a_sentence(text, wrt, order, words):
    with pytest.raises(InputError, match=words):
        derive(text, wrt, order=order)


def test_another_definition_can_be_asked_for():
    assert derive("x: vec(D); f = x.T @ x; g = 3*f", "x", of="f").closed_forms == {"x": "2*x"}
    with pytest.raises(InputError, match="did you mean 'f'"):
        derive("x: vec(D); f = x.T @ x", "x", of="ff")


def test_the_derivative_in_a_definition():
    assert derive("x: vec(D); z = 2*x; f = z.T @ z", "z").closed_forms == {"z": "2*z"}
