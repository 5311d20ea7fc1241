"""Which implementations of a kernel can be tested here, and on what their tensors have to lie.

``cuda`` runs on a device where there is one (marker ``gpu``), and else step by step in Triton's interpreter, on tensors
of the processor; without Triton its tests are skipped.
"""

import pytest
import torch

from gradus.kernels import dispatch


def of(kernel):
    """Return the implementations of ``kernel`` as parameters of a test."""
    return [pytest.param(name, marks=_marks(name)) for name in dispatch.implementations(kernel)]


def device_of(implementation):
    """Return the device that an implementation's tensors are made on."""
    return "cpu" if implementation != "cuda" or is_interpreted(implementation) else "cuda"


def is_interpreted(implementation):
    """Return whether an implementation is run step by step here, so that it should be given little to do."""
    return implementation == "cuda" and not torch.cuda.is_available()


def _marks(implementation):
    if implementation != "cuda":
        return []
    if torch.cuda.is_available():
        return [pytest.mark.gpu]
    return [pytest.mark.skipif(not dispatch.can_compile("cuda"), reason="triton is not installed")]
