"""openTSNE's tests of correctness, run against ours; see the adapter for which do not apply, and why."""

import importlib.metadata
import unittest

import pytest

from peers.loading import module_from, source_tests
from peers.openTSNE_adapter import NOT_APPLICABLE, replace_in

# most of the cases of version 1.0.4; a version with far fewer would show nothing
EXPECTED = 20


@pytest.fixture(scope="module")
def theirs(pytestconfig):
    pytest.importorskip("openTSNE")
    version = importlib.metadata.version("openTSNE")
    folder = pytestconfig.cache.mkdir(f"openTSNE-{version}")
    module = module_from(source_tests(f"openTSNE=={version}", "tests/test_correctness.py", folder))
    replace_in(module)
    return module


def cases(module):
    """Return their test cases by name, but for those that do not apply."""
    loaded = unittest.defaultTestLoader.loadTestsFromModule(module)
    found = {case.id().split(".", 1)[1]: case for suite in loaded for case in suite}
    return {
        name: case
        for name, case in found.items()
        if name not in NOT_APPLICABLE and name.split(".")[-1] not in NOT_APPLICABLE
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_their_cases_pass(theirs):
    chosen = cases(theirs)
    assert len(chosen) >= EXPECTED
    result = unittest.TestResult()
    unittest.TestSuite(chosen.values()).run(result)
    told = "\n".join(f"{case.id()}\n{trace}" for case, trace in result.failures + result.errors)
    assert result.wasSuccessful(), told
    assert result.testsRun == len(chosen)
