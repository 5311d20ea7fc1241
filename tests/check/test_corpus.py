"""Every mistake of the corpus is caught, most are named, and nothing right is blamed."""

from functools import cache

import pytest

from check.corpus import RIGHT, WRONG
from gradus.check import check_gradient

# what is not caught, and why; the figures in docs count it
MISSED: dict[str, str] = {}


@cache
def kind(sample):
    """Return the class of the first finding, or None where there is none."""
    findings = check_gradient(sample.function, sample.pullback, *sample.inputs).findings
    return findings[0].kind if findings else None


def test_the_corpus_is_as_large_as_is_said():
    assert len(WRONG) >= 60
    assert len(RIGHT) >= 40
    assert len({sample.operator for sample in WRONG}) >= 12
    assert len({sample.name for sample in (*RIGHT, *WRONG)}) == len(RIGHT) + len(WRONG)


@pytest.mark.parametrize("sample", RIGHT, ids=lambda sample: sample.name)
def test_nothing_right_is_blamed(sample):
    verdict = check_gradient(sample.function, sample.pullback, *sample.inputs)
    assert verdict, str(verdict)


@pytest.mark.parametrize("sample", WRONG, ids=lambda sample: sample.name)
def test_every_mistake_is_caught(sample):
    assert (kind(sample) is not None) == (sample.name not in MISSED)


def test_most_mistakes_are_named_by_their_class():
    assert sum(kind(sample) in sample.kinds for sample in WRONG) >= 0.7 * len(WRONG)
