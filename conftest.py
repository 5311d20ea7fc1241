"""Runs every ```python block of the documentation, top to bottom, one namespace a page.

Modules written in Triton are looked through for examples only where it is installed.
"""

from __future__ import annotations

import importlib.util

from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    patterns=["README.md", "docs/*.md", "docs/derivations/*.md"],
).pytest()

collect_ignore_glob = (
    [] if importlib.util.find_spec("triton") else ["src/gradus/kernels/*/cuda.py", "src/gradus/kernels/*/cuda"]
)
