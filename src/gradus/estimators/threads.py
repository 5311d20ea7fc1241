"""As many threads as a fit keeps busy."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradus.losses import CrossEntropy, LinearModel

# multiplications in one pass over the data below which waking a second thread costs more than it saves
LEAST_MULTIPLICATIONS = 20_000_000


@contextmanager
def threads_worth(model: LinearModel[CrossEntropy]) -> Iterator[None]:
    """Run torch on one thread inside this block if one pass over the data of ``model`` is short."""
    samples, features = model.features.shape
    before = torch.get_num_threads()
    if samples * features * model.loss.outputs < LEAST_MULTIPLICATIONS:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
