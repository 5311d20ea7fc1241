"""A matrix of features in a file, larger than memory if need be."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradus.core.errors import InputError
from gradus.core.mapped import chunks, gathered
from gradus.losses.features import DenseFeatures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor


def tensor_over(array: NDArray[Any]) -> Tensor:
    """Return a tensor over the same memory, which may be read-only: nothing may write to it then."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(array)


@dataclass(frozen=True)
class MappedFeatures:
    """A memory-mapped array of uint8, float16, float32 or float64 with a row per sample.

    Every product reads the file once, a chunk of rows at a time, and lets the pages go; the numbers are converted in
    the cache. The rows of a step above 1 are copied into memory.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryFile() as file:
    ...     array = np.memmap(file, dtype=np.uint8, shape=(2, 2))
    ...     array[:] = [[1, 2], [3, 4]]
    ...     MappedFeatures(array).times(torch.tensor([[1.0], [10.0]])).tolist()
    [[21.0], [43.0]]
    """

    array: NDArray[Any]

    @property
    def shape(self) -> tuple[int, int]:
        """(samples, features)."""
        return self.array.shape[0], self.array.shape[1]

    @property
    def dtype(self) -> torch.dtype:
        """float64 for an array of that, float32 for the others."""
        return torch.float64 if self.array.dtype == np.float64 else torch.float32

    @property
    def device(self) -> torch.device:
        """Files are read by the CPU."""
        return torch.device("cpu")

    def chunks(self) -> Iterator[tuple[slice, Tensor]]:
        """Yield rows and their numbers, in order; those of one chunk may not be used after the next was asked for."""
        for rows, chunk in chunks(self.array):
            yield rows, tensor_over(chunk)

    def rows(self, start: int, stop: int, step: int = 1) -> MappedFeatures | DenseFeatures:
        """Return every ``step``-th row from ``start`` to before ``stop``; a copy in memory where rows are left out."""
        if step == 1:
            return MappedFeatures(self.array[start:stop])
        return DenseFeatures(torch.from_numpy(gathered(self.array, start, min(stop, len(self.array)), step)))

    def taken(self, positions: Tensor) -> DenseFeatures:
        """Return a copy of the rows at ``positions``, in memory."""
        return DenseFeatures(torch.from_numpy(self.array[positions.numpy()]))

    def chosen(self, positions: Tensor) -> DenseFeatures:
        """Return a copy of the rows at ``positions``."""
        return self.taken(positions)

    def to(self, dtype: torch.dtype) -> MappedFeatures:
        """Return the same matrix if it is computed with in ``dtype``.

        Raises
        ------
        InputError : if it is not
        """
        if dtype == self.dtype:
            return self
        raise InputError(
            f"features is a file of {self.array.dtype}, computed with in {self.dtype}, where {dtype} was asked for: "
            "save both in one type"
        )

    def times(self, weights: Tensor) -> Tensor:
        """Return X @ weights. One pass over the file."""
        return torch.cat([DenseFeatures(chunk).times(weights) for _, chunk in self.chunks()])

    def transposed_times(self, residual: Tensor) -> Tensor:
        """Return X' @ residual. One pass over the file."""
        result = residual.new_zeros(self.shape[1], residual.shape[1])
        for rows, chunk in self.chunks():
            result += DenseFeatures(chunk).transposed_times(residual[rows])
        return result

    def gram(self, weights: Tensor) -> Tensor:
        """Return X' diag(weights) X. One pass over the file."""
        result = torch.zeros(self.shape[1], self.shape[1], dtype=self.dtype)
        for rows, chunk in self.chunks():
            result += DenseFeatures(chunk).gram(weights[rows])
        return result

    def weighted_sums(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return X' weights and (X * X)' weights. One pass over the file."""
        sums = torch.zeros(2, self.shape[1], dtype=torch.float64)
        for rows, chunk in self.chunks():
            sums += torch.stack(DenseFeatures(chunk).weighted_sums(weights[rows]))
        plain, squared = sums.to(self.dtype)
        return plain, squared

    def selected(self, columns: Tensor) -> Tensor:
        """Return the features at ``columns`` as dense rows (columns, samples). One pass over the file."""
        return torch.cat([DenseFeatures(chunk).selected(columns) for _, chunk in self.chunks()], dim=1)
