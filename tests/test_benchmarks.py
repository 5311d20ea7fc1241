"""The benchmarks run by hand and rarely: what they take from gradus must still be there."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest
import torch

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def imported_names(source: Path) -> list[tuple[str, str]]:
    """The (module, name) pairs of `from gradus… import name` in a file."""
    return [
        (node.module, alias.name)
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "gradus"
        for alias in node.names
    ]


@pytest.mark.parametrize("source", sorted(BENCHMARKS.rglob("*.py")), ids=lambda path: path.stem)
def test_takes_only_what_gradus_has(source: Path) -> None:
    for module, name in imported_names(source):
        found = importlib.import_module(module)
        if not hasattr(found, name):
            importlib.import_module(f"{module}.{name}")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_what_needs_a_gpu_says_so_and_writes_nothing(capsys, monkeypatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS.parent)
    main = importlib.import_module("benchmarks.__main__").main
    written = {path: path.read_bytes() for path in (BENCHMARKS / "results").glob("cuda*")}
    assert main(["cuda"]) == 1
    assert "cuda was not run: it compares on a CUDA device" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (BENCHMARKS / "results").glob("cuda*")} == written


def test_a_case_of_a_gpu_is_measured_beside_its_peer(device, monkeypatch) -> None:
    monkeypatch.syspath_prepend(BENCHMARKS.parent)
    cuda, case = importlib.import_module("benchmarks.cuda"), importlib.import_module("benchmarks.cuda_cases.case")
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    x, targets = torch.ones(3, device=device), []
    calls = case.Calls(lambda: x + 1, lambda: x * 2, traffic=24.0, row=2)
    row = cuda._measured(case.Case("a sum", "a product", lambda: calls, promise=0.0, within=1e12), 1e9, targets)
    assert row[0] == "a sum" and row[2] == "a product"
    assert row[1] > 0 and row[4] == row[3] / row[1] and row[6] == pytest.approx(row[1] / 24e-6)
    assert [target.met for target in targets] == [True, True]
