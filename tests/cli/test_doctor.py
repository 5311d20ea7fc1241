"""The doctor names every kernel and what runs it, for a person and for a program."""

import json

from gradus.cli import main
from gradus.kernels import dispatch


def test_every_kernel_is_named_with_what_runs_it(capsys):
    assert main(["doctor", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert set(facts["kernels"]) == set(dispatch.kernels())
    assert facts["kernels"]["rank_count"].startswith("compiled (numba) on cpu")
    with dispatch.force("reference"):
        assert main(["doctor", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kernels"]["rank_count"].startswith("reference (torch) on cpu")


def test_a_person_gets_tables(capsys):
    assert main(["doctor"]) == 0
    told = capsys.readouterr().out
    for word in ("torch", "threads", "student_repulsion"):
        assert word in told
