"""The nine claims of the answer sheet that the project grew from."""

from pathlib import Path

from gradus.check.claims import Judgement, check_claims

CLAIMS = Path(__file__).parents[3] / "docs" / "exercises" / "claims.md"
RIGHT, WRONG = Judgement.AGREES, Judgement.REFUTED


def test_the_nine_verdicts():
    verdicts = check_claims(CLAIMS)
    assert [verdict.judgement for verdict in verdicts] == [RIGHT, WRONG, RIGHT, WRONG, *[RIGHT] * 5]
    assert verdicts[1].missing == "yhat[i]*x[j]*(1 - y[i])"
    assert "W = [[0], [0]]" in verdicts[3].because
