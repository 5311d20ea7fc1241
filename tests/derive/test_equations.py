"""Claims become two sides over the same indices, and what is missing is told."""

import numpy as np
import pytest

from gradus.derive import Evaluator, FormulaError, draw_point, equation_of, lower_document, read_document, to_text

SOFTMAX = "x: vec(D); W: mat(K, D); b: vec(K); y: simplex(K); p = softmax(W @ x + b); L = -sum(y*log(p))\n"
# claim -> what the left side has and the right side has not
DIFFERENCES = {
    "dL/dW[i,j] = -y[i]*x[j]*(1 - p[i])": "p[i]*x[j]*(1 - y[i])",
    "dL/dW[i,j] = (p[i] - y[i])*x[j]": "0",
    "dL/dW = outer(p - y, x)": "0*ones(K, D)",
    "∂L/∂b = p": "-y",
    "dp[i]/db[j] = p[i]*(eye(K)[i,j] - p[j])": "0",
    "dp/db = diag(p)": "-outer(p, p)",
    "sum(p) = 1": "0",
    "p[i] = y[i]": "p[i] - y[i]",
    "norm(x)^2 = x.T @ x + 1": "-1",
}


def equation(text, claim):
    document = read_document(text + "claim " + claim)
    return equation_of(lower_document(document), document.claims[0], document.text)


@pytest.mark.parametrize("claim", DIFFERENCES)
def test_what_is_missing(claim):
    found = equation(SOFTMAX, claim)
    assert to_text(found.difference().tree) == DIFFERENCES[claim]
    point = draw_point(found.program, np.random.default_rng(0))
    evaluator = Evaluator(found.program, point)
    left, right = (evaluator.entries(side, found.axes) for side in (found.left, found.right))
    assert np.allclose(left, right) == DIFFERENCES[claim].startswith("0")


def test_the_sides_share_named_indices():
    found = equation(SOFTMAX, "dL/dW[k,d] = x[d]*(p[k] - y[k])")
    assert found.names == ("k", "d")
    assert [axis.size for axis in found.axes] == ["K", "D"]
    assert found.used == ("sum(y) = 1",)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        ("dL/dW[i] = 1", "2 axes, 1 indices"),
        ("dL/dW[x,j] = 1", "another letter"),
        ("dL/dW = x", "different shapes"),
        ("dL/dW[i,j] = x[k]", "bound nowhere"),
        ("dL/dW[i,j] = x[i]", "runs over K"),
        ("p[i] = x[j] + q", "'q'"),
    ],
)
def test_a_claim_that_means_nothing(claim, words):
    with pytest.raises(FormulaError, match=words.replace("(", r"\(")):
        equation(SOFTMAX, claim)
