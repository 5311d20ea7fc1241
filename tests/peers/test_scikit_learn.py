"""scikit-learn's own black-box tests of t-SNE, run against ours; see the adapter for which, and why not the others."""

import pytest

from peers.loading import installed_tests, module_from
from peers.scikit_learn_adapter import NOT_APPLICABLE, PASS, replace_in

PATH = installed_tests("sklearn", "manifold", "tests", "test_t_sne.py")
if PATH is None:
    pytest.skip("this scikit-learn comes without its tests", allow_module_level=True)

_theirs = module_from(PATH)
replace_in(_theirs)
for _name in sorted(PASS):
    if hasattr(_theirs, _name):
        globals()[_name] = getattr(_theirs, _name)


def test_every_test_of_theirs_is_run_or_has_a_reason_not_to_be():
    names = {name for name in vars(_theirs) if name.startswith("test_")}
    assert PASS.isdisjoint(NOT_APPLICABLE)
    assert len(PASS & names) >= 15
    if {"test_tsne_works_with_pandas_output", "test_uniform_grid"} <= names <= PASS | NOT_APPLICABLE.keys():
        return
    pytest.skip(f"another version of scikit-learn has other tests: {sorted(names - PASS - NOT_APPLICABLE.keys())}")
