"""Test modules of other libraries, loaded from where they are; nothing of their text is kept here."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

PATIENCE = 120


def module_from(path: Path) -> ModuleType:
    """Return a module of its own, executed from ``path``."""
    specification = importlib.util.spec_from_file_location(f"peer_{path.stem}", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def installed_tests(package: str, *within: str) -> Path | None:
    """Return a test file that an installed package brings along, or None."""
    found = importlib.util.find_spec(package)
    path = None if found is None else Path(found.origin).parent.joinpath(*within)
    return path if path is not None and path.is_file() else None


def source_tests(requirement: str, within: str, folder: Path) -> Path:
    """Return a test file of a package's source distribution, which pip fetches once into ``folder``, or skip."""
    archives = sorted(folder.glob("*.tar.gz"))
    if not archives:
        name = requirement.split("==")[0]
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", name, requirement]
        try:
            subprocess.run(command, cwd=folder, timeout=PATIENCE, check=True, capture_output=True)
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"the source of {requirement} cannot be fetched here ({type(error).__name__})")
        archives = sorted(folder.glob("*.tar.gz"))
    target = folder / Path(within).name
    with tarfile.open(archives[0]) as archive:
        member = next(name for name in archive.getnames() if name.endswith(f"/{within}"))
        target.write_bytes(archive.extractfile(member).read())
    return target
