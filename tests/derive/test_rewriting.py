"""The engine checks every rewrite; each rule is seen at work, and equations wait for the derivative."""

import pytest

from gradus.core.errors import InputError
from gradus.derive import RewriteError, derive, read_program
from gradus.derive import rewriting as engine
from gradus.derive.algebra import number
from gradus.derive.closed_form import written
from gradus.derive.index_form import Entry
from gradus.derive.preparing import prepared
from gradus.derive.rules import RULES, Rule
from gradus.derive.text import to_text


def simplified(text):
    """Return the last definition, simplified and written, with the rules and declarations that were used."""
    program = read_program(text)
    ready = prepared(program, list(program.definitions)[-1], [])
    definition = list(ready.program.definitions.values())[-1]
    form = written(ready.rewriter, definition.body, definition.axes, indices=definition.indices)
    return to_text(form.tree), list(ready.rewriter.facts.used)


# rule -> (document, what its last definition becomes, declarations used)
SEEN = {
    "rules of the logarithm": ("x: positive; y: positive; f = log(x^2/y)", "2*log(x) - log(y)", []),
    "exp(log x) = x": ("x: positive vec(D); f = exp(log(x))", "x", []),
    "sigmoid(-x) = 1 - sigmoid(x), softplus(-x) = softplus(x) - x": (
        "x: vec(D); f = sigmoid(-x)",
        "1 - sigmoid(x)",
        [],
    ),
    "log of a sum of exponentials": ("x: vec(D); f = log(sum(exp(x)))", "logsumexp(x)", []),
    "exp z / sum exp z = softmax(z)": ("x: vec(D); f = exp(x)/sum(exp(x))", "softmax(x)", []),
    "powers of positive numbers": ("x: vec(D); f = sqrt(x^2)", "abs(x)", []),
    "x sign(x) = abs(x)": ("x: vec(D); f = x*sign(x)", "abs(x)", []),
    "equal to its transpose": ("S: symmetric(D); f = S.T", "S", ["S = S.T"]),
    "zero diagonal": ("P: mat(N, N) hollow; f = sum[i!=j](P[i,j])", "sum(P)", ["P has a zero diagonal"]),
    "sums to 1": ("y: simplex(K); s: scalar; f = sum(s*y)", "s", ["sum(y) = 1"]),
    "sum(x) = D mean(x)": ("x: vec(D); m = mean(x); f = sum(x - m)", "0", []),
    "weights that sum to 1": ("z: vec(K); s: scalar; y: simplex(K); f = sum(y*(z - s))", "y.T @ z - s", ["sum(y) = 1"]),
    "Q.T @ Q = I": ("Q: orthogonal(D); f = Q.T @ Q", "eye(D)", ["Q.T @ Q = I"]),
    "inv(Q) = Q.T": ("Q: orthogonal(D); f = inv(Q)", "Q.T", ["Q.T @ Q = I"]),
    "inv(A) @ A = I": ("A: mat(D, D); x: vec(D); f = inv(A) @ A @ x", "x", []),
    "a factor that is zero on the diagonal": (
        "x: vec(D); f = sum[i!=j]((x[i] - x[j])^2)",
        "sum[i](norm(x[i] - x)^2)",
        [],
    ),
}


@pytest.mark.parametrize("rule", SEEN)
def test_a_rule_at_work(rule):
    document, expected, used = SEEN[rule]
    assert simplified(document) == (expected, used)


def test_every_rule_is_seen():
    assert {rule.name for rule in RULES} == set(SEEN)


@pytest.mark.parametrize(
    "document",
    [
        "x: scalar; f = sqrt(x^2)*log(x^2 + 1)",  # not x: the sign of x is not known
        "x: vec(K); s: scalar; f = sum(s*x)",  # x was not declared to sum to 1
        "A: mat(D, D); x: vec(D); f = x.T @ A.T @ x",
    ],
)
def test_nothing_is_assumed_that_was_not_declared(document):
    assert simplified(document)[1] == []


def test_a_rule_that_changes_the_value_raises(monkeypatch):
    wrong = Rule("twice the truth", lambda node, facts: _doubled(node))
    monkeypatch.setattr(engine, "RULES", (*RULES, wrong))
    with pytest.raises(RewriteError, match=r"twice the truth turned .*please report"):
        derive("x: vec(D); y: vec(D); f = x.T @ y", "x")


def _doubled(node):
    return Entry("y", node.at) if isinstance(node, Entry) and node.array == "x" else None


def test_a_wrong_pullback_raises(monkeypatch):
    from gradus.derive import pullbacks

    monkeypatch.setitem(pullbacks.PARTIALS, "tanh", lambda x: (number(1),))
    with pytest.raises(RewriteError, match="differs from differences"):
        derive("x: scalar; f = tanh(x)", "x")


def test_a_function_without_a_pullback_raises(monkeypatch):
    from gradus.derive import pullbacks

    monkeypatch.delitem(pullbacks.PARTIALS, "tanh")
    with pytest.raises(KeyError):
        derive("x: scalar; f = tanh(x)", "x")


def test_a_formula_without_any_finite_value_is_refused():
    with pytest.raises(InputError, match="declare what must be positive"):
        derive("x: scalar; f = log(-1 - x^2)", "x")


def test_equations_of_a_variable_wait_for_its_own_derivative():
    """On the simplex L could lose logsumexp(z), but dL/dy may not."""
    head = "z: vec(K); y: simplex(K); p = softmax(z); L = -sum(y*log(p))"
    assert derive(head, "y").closed_forms["y"] == "logsumexp(z) - z"
    assert derive(head, "z").closed_forms["z"] == "p - y"
    both = derive(head, "y,z")
    assert both.closed_forms == {"y": "logsumexp(z) - z", "z": "p - y"}
    assert derive("S: symmetric(D); x: vec(D); z: vec(D); f = x.T @ S.T @ z", "S").closed_forms == {"S": "outer(z, x)"}
