"""A kernel gives the same bits in the process that compiles it and in one that loads it."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from numba.core.registry import CPUDispatcher

import gradus.kernels
from gradus.kernels.compilation import KernelCompiler

if TYPE_CHECKING:
    from pathlib import Path

# all pairs of 1,797 points: sums that may be reassociated, in a helper of a parallel loop, compiled twice by Numba
FORCES = """
import hashlib, numpy, torch
from gradus.kernels.student_repulsion import repulsion
points = torch.from_numpy(5 * numpy.random.default_rng(0).normal(size=(1797, 2)).astype("float32"))
for result in repulsion(points, points, 1.0):
    print(hashlib.sha256(result.numpy().tobytes()).hexdigest())
"""


def bits(cache: Path) -> str:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    ran = subprocess.run([sys.executable, "-c", FORCES], env=environment, capture_output=True, text=True, check=True)
    return ran.stdout


def test_that_a_run_which_compiles_gives_the_bits_of_one_which_loads(tmp_path: Path) -> None:
    compiling = bits(tmp_path)
    assert list(tmp_path.rglob("*.nbc"))
    assert bits(tmp_path) == compiling


MODULES = [
    module.name
    for module in pkgutil.walk_packages(gradus.kernels.__path__, "gradus.kernels.")
    if ".cuda" not in module.name
]


@pytest.mark.parametrize("module", MODULES)
def test_that_every_kernel_keeps_its_own_copies(module: str) -> None:
    for name, value in vars(importlib.import_module(module)).items():
        if isinstance(value, CPUDispatcher):
            assert value._compiler.pipeline_class is KernelCompiler, name
