"""Claims about formulas: what is true agrees, what is false is refuted by a point a person can check by hand."""

from fractions import Fraction

import numpy as np
import pytest

from gradus.check.claims import Judgement, check_claims, judge
from gradus.check.claims.notes import fenced
from gradus.check.claims.points import described, random_points, small_points
from gradus.cli import main
from gradus.core.errors import InputError
from gradus.derive.document import read_document
from gradus.derive.errors import FormulaError
from gradus.derive.lowering import lower_document

SOFTMAX = "x: vec(D); W: mat(K, D); b: vec(K); y: simplex(K)\nyhat = softmax(W @ x + b)\nL = -sum(y * log(yhat))\n"
TSNE = (
    "Y: mat(N, 2); P: joint symmetric hollow mat(N, N)\n"
    "w[i,j] = 1/(1 + sum[d]((Y[i,d]-Y[j,d])^2))\nZ = sum[k!=l](w[k,l])\n"
    "C = sum[i!=j](P[i,j]*(log(P[i,j]) - log(w[i,j]/Z)))\n"
)
PROBABILITIES = "z: vec(K); beta: scalar\np = softmax(beta*z)\n"
TRUE = [
    (SOFTMAX, "dL/dW[i,j] = x[j]*(yhat[i] - y[i])"),
    (SOFTMAX, "dL/dW = outer(yhat - y, x)"),
    (SOFTMAX, "dL/db = yhat - y"),
    (SOFTMAX, "dL/dW[0,j] = x[j]*(yhat[0] - y[0])"),
    (TSNE, "dC/dY[i,d] = 4*sum[j]((P[i,j] - w[i,j]/Z)*(Y[i,d] - Y[j,d])*w[i,j])"),
    ("A: spd mat(N, N)\nf = logdet(A)\n", "df/dA = inv(A)"),
    ("Q: orthogonal mat(N, N)\nf = tr(Q)\n", "Q.T @ Q = eye(N)"),
    ("x: scalar\nf = x^2\n", "sigmoid(x) = 1/(1 + exp(-x))"),
    (PROBABILITIES, "dp[i]/dz[i] = beta*p[i]*(1 - p[i])"),
    (PROBABILITIES, "dp[i]/dz[j] = beta*p[i]*(eye(K)[i,j] - p[j])"),
    (PROBABILITIES, "dp[0]/dz[j] = beta*p[0]*(eye(K)[0,j] - p[j])"),
    (PROBABILITIES, "dp/dz = beta*(diag(p) - outer(p, p))"),
    (PROBABILITIES, "dp[i]/dbeta = p[i]*(z[i] - p @ z)"),
    ("A: mat(N, N)\nf = tr(A @ A)\n", "df/dA[i,i] = 2*A[i,i]"),
]
FALSE = [
    (SOFTMAX, "dL/dW[i,j] = -y[i]*x[j]*(1 - yhat[i])", "yhat[i]*x[j]*(1 - y[i])"),
    (SOFTMAX, "dL/db = y - yhat", "2*(yhat - y)"),
    (TSNE, "dC/dY[i,d] = 2*sum[j]((P[i,j] - w[i,j]/Z)*(Y[i,d] - Y[j,d])*w[i,j])", ""),
    ("A: mat(N, N)\nf = det(A)\n", "df/dA = det(A)*inv(A)", ""),
    ("x: vec(D)\nf = sum(relu(x))\n", "df/dx[i] = 1", ""),
    ("x: scalar\nf = sin(x)\n", "df/dx = cos(x) + 1e-12", ""),
    ("x: scalar; y: scalar\nf = x*y\n", "f = x + y", ""),
    (PROBABILITIES, "dp[i]/dz[j] = beta*p[i]*(1 - p[j])", ""),
    (PROBABILITIES, "dp[i]/dz[i] = p[i]*(1 - p[i])", ""),
]


def judged(formula, claim):
    document = read_document(f"{formula}claim {claim}\n")
    return judge(document, lower_document(document), document.claims[0])


@pytest.mark.parametrize(("formula", "claim"), TRUE)
def test_what_is_true_agrees(formula, claim):
    verdict = judged(formula, claim)
    assert verdict.judgement is Judgement.AGREES, str(verdict)
    assert "proved" not in str(verdict) and "proof" not in str(verdict)


@pytest.mark.parametrize(("formula", "claim", "missing"), FALSE)
def test_what_is_false_is_refuted(formula, claim, missing):
    verdict = judged(formula, claim)
    assert verdict.judgement is Judgement.REFUTED, str(verdict)
    assert missing in verdict.missing


def test_the_counterexample_is_small():
    verdict = judged(*FALSE[0][:2])
    assert "D = 1, K = 2, x = [1], W = [[0], [0]], b = [0, 0]" in verdict.because
    assert "the left side is 1/2, the right side 0" in verdict.because


def test_a_numbered_entry_is_looked_for_where_there_is_one():
    assert judged(SOFTMAX, "dL/dW[1,j] = x[j]*(yhat[1] - y[1])").judgement is Judgement.AGREES
    assert judged(SOFTMAX, "dL/dW[1,j] = 0").judgement is Judgement.REFUTED
    assert judged(SOFTMAX, "dL/dW[99,j] = 0").judgement is Judgement.UNDECIDED


def test_what_has_no_value_is_undecided():
    verdict = judged("x: positive scalar\nf = log(-x)\n", "df/dx = 1/x")
    assert verdict.judgement is Judgement.UNDECIDED


@pytest.mark.parametrize("claim", ["dL/dW[i,j] = x", "dL/dW = x", "dL/dW[i,i] = 0", "dL/dW[i] = 0", "dL/dW = Q"])
def test_a_claim_that_means_nothing_is_refused_with_a_caret(claim):
    with pytest.raises(FormulaError, match=r"\^"):
        judged(SOFTMAX, claim)


def test_points_are_exact_members_of_their_domains():
    program = lower_document(
        read_document(
            "s: simplex(K); A: spd mat(N, N); Q: orthogonal mat(N, N); P: joint symmetric hollow mat(M, M)\n"
            "p: positive vec(K); n: integer vec(K); f = sum(s)"
        )
    )
    generator = np.random.default_rng(0)
    groups = list(small_points(program, generator))
    points = [point for group in groups for point in group] + list(random_points(program, generator, 5))
    for point in points:
        values = point.values
        assert sum(values["s"]) == 1 and all(v >= 0 for v in values["s"])
        assert (values["A"] == values["A"].T).all() and np.linalg.eigvalsh(values["A"].astype(float)).min() > 0
        assert (values["Q"] @ values["Q"].T == np.eye(len(values["Q"]), dtype=int)).all()
        assert (np.diagonal(values["P"]) == 0).all() and (values["P"] == values["P"].T).all()
        assert len(values["P"]) == 1 or values["P"].sum() == 1
        assert all(v > 0 for v in values["p"]) and all(v.denominator == 1 for v in values["n"])
    assert len({described(point) for point in points}) > len(points) // 2
    assert all(isinstance(v, Fraction) for v in points[-1].values["s"])


MARKDOWN = f"# Notes\n\n```gradus\n{SOFTMAX}claim dL/db = yhat - y\n```\n\n```python\nclaim nothing\n```\n"


def test_markdown_keeps_its_line_numbers(tmp_path, capsys):
    notes = tmp_path / "notes.md"
    notes.write_text(MARKDOWN)
    assert [verdict.line for verdict in check_claims(notes)] == [7]
    assert main(["check", str(notes)]) == 0
    assert "notes.md:7: agrees" in capsys.readouterr().out
    notes.write_text(MARKDOWN.replace("yhat - y\n", "y - yhat\n"))
    assert main(["check", str(notes), "--json"]) == 1
    assert '"judgement": "refuted"' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# nothing\n", "```gradus"),
        ("```gradus\nx: scalar; f = x\n```\n", "there is no claim"),
        ("```gradus\nx: scalar\nf = x +\n```\n", "line 3"),
    ],
)
def test_wrong_files_get_a_sentence(tmp_path, capsys, text, said):
    notes = tmp_path / "notes.md"
    notes.write_text(text)
    assert main(["check", str(notes)]) == 2
    assert said in capsys.readouterr().err
    with pytest.raises(InputError, match="check the path"):
        check_claims(tmp_path / "none.md")


def test_fences_of_other_kinds_and_unclosed_ones():
    assert fenced("~~~gradus\na\n~~~\n```\nb\n```\n```gradus\nunclosed") == ["\na\n\n\n\n\n\n"]
