"""Loss, residual and gradient in one sweep over X, beside reading X once and beside the two products of torch."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import scipy.sparse
import torch

from benchmarks.data import mnist_or_digits
from benchmarks.measure import Findings, Table, Target, alternate, median
from gradus.kernels.softmax_sweep import Labelled, Linear, hessian_product, loss_and_slopes

if TYPE_CHECKING:
    from collections.abc import Callable

    from scipy.sparse import csr_array
    from torch import Tensor

REPEATS = 31
READS, SHARE_OF_PRODUCTS = 3.0, 0.5
COLUMNS = ("X", "classes", "what", "ms", "reads of X", "times the two products")


class Case(NamedTuple):
    """What is swept: X as it is stored, the type that is computed in, and how many classes there are."""

    name: str
    matrix: Tensor | csr_array
    dtype: torch.dtype
    classes: int


def run() -> Findings:
    """Time the sweep of the issue's data, then other types, storages and numbers of classes."""
    data = mnist_or_digits()
    X = torch.from_numpy(data.X)
    generator = torch.Generator().manual_seed(0)
    wide = torch.randn(20_000, 384, generator=generator)
    sparse = scipy.sparse.csr_array(data.X)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.npy"
        np.save(file, (data.X * 255).astype(np.uint8))
        on_disk = torch.from_numpy(np.load(file, mmap_mode="c"))
        cases = [
            Case(f"{data.name}, float32", X, torch.float32, 10),
            Case(f"{data.name}, float64", X.double(), torch.float64, 10),
            Case(f"{data.name}, float16 as stored", X.half(), torch.float32, 10),
            Case(f"{data.name}, uint8 in a memory-mapped file", on_disk, torch.float32, 10),
            Case(f"{data.name}, CSR float32, {sparse.nnz / X.numel():.0%} not 0", sparse, torch.float32, 10),
            Case(f"{data.name}, float32", X, torch.float32, 100),
            Case("20,000 x 384 normal, float32", wide, torch.float32, 100),
        ]
        rows, first = [], None
        for case in cases:
            found = measured(case)
            first = first or found
            rows += rows_of(case, found)
    assert first is not None
    reads = first["loss and gradient"] / first["reading"]
    share = first["loss and gradient"] / first["two products"]
    return Findings(
        title="One pass over the data",
        conditions=[
            f"{data.name}: {X.shape[0]:,} x {X.shape[1]:,}; random labels and coefficients; kernels called directly.",
            "reading: a sum over all that X stores, by torch, the floor of anything that looks at X. two products: X W "
            "and X' R by torch, in the type that is computed in, from memory of that type; CSR: by SciPy, one thread.",
            f"Medians of {REPEATS} turns after one that is not counted; {torch.get_num_threads()} threads.",
        ],
        tables=[Table("Sweeps", COLUMNS, rows)],
        targets=[
            Target(f"float32, 10 classes: at most {READS:g} reads of X", reads, reads <= READS),
            Target(
                f"float32, 10 classes: at most {SHARE_OF_PRODUCTS:g} of the two products",
                share,
                share <= SHARE_OF_PRODUCTS,
            ),
        ],
        packages=("numpy", "numba", "scipy", "torch"),
    )


def measured(case: Case) -> dict[str, float]:
    """Return the median seconds of each call."""
    return {name: median(taken) for name, taken in alternate(calls(case), REPEATS).items()}


def calls(case: Case) -> dict[str, Callable[[], object]]:
    """Return what is timed: the floor, the peer and ours."""
    matrix, dtype = case.matrix, case.dtype
    samples, features = matrix.shape
    generator = torch.Generator().manual_seed(1)
    linear = Linear(
        0.01 * torch.randn(features, case.classes, generator=generator, dtype=dtype),
        torch.zeros(case.classes, dtype=dtype),
    )
    labels = torch.randint(0, case.classes, (samples,), generator=generator)
    weights = torch.full((samples,), 1 / samples, dtype=dtype)
    residual = torch.randn(samples, case.classes, generator=generator, dtype=dtype)
    shares = torch.softmax(residual, 1)
    ours = {
        "loss and gradient": lambda: loss_and_slopes(matrix, linear, Labelled(labels, weights)),
        "Hessian product": lambda: hessian_product(matrix, linear, shares, weights),
    }
    if not isinstance(matrix, torch.Tensor):
        W, R, transposed = linear.coefficients.numpy(), residual.numpy(), matrix.T.tocsr()
        stored = torch.from_numpy(matrix.data)
        return {"reading": stored.sum, "two products": lambda: (matrix @ W, transposed @ R), **ours}
    numbers = matrix.to(dtype)
    out = torch.empty(samples, case.classes, dtype=dtype)
    slopes = torch.empty(features, case.classes, dtype=dtype)
    products = lambda: (  # noqa: E731
        torch.mm(numbers, linear.coefficients, out=out),
        torch.mm(numbers.t(), residual, out=slopes),
    )
    return {"reading": matrix.sum, "two products": products, **ours}


def rows_of(case: Case, found: dict[str, float]) -> list[list[object]]:
    """Return the table's rows of one case."""
    return [
        [case.name, case.classes, name, 1e3 * taken, taken / found["reading"], taken / found["two products"]]
        for name, taken in found.items()
    ]
