"""The benchmarks run by hand and rarely: what they take from gradus must still be there."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

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
