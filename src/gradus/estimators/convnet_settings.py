"""The settings of ``ConvNetClassifier``, checked, and what they come to for the data at hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from gradus.core.errors import InputError, did_you_mean
from gradus.networks import Augmentation
from gradus.networks.precision import has_fast_bfloat16
from gradus.optim import trapezoid

if TYPE_CHECKING:
    from collections.abc import Callable

PRECISIONS = ("auto", "float32", "bfloat16")
# images a step where there are plenty, and steps an epoch where there are not
MOST_ROWS, LEAST_ROWS, STEPS_OF_FEW = 512, 16, 16
# passes over many images, and steps that few are given
PASSES, LEAST_STEPS, MOST_PASSES = 8, 400, 64
# share of the steps in which the learning rate rises
RISE = 0.1


@dataclass(frozen=True)
class ConvNetSettings:
    """The numbers and names of a ``ConvNetClassifier``.

    Raises
    ------
    InputError : naming the setting, what it is and what was expected
    """

    widths: Any
    epochs: Any
    batch_size: Any
    label_smoothing: Any
    shift: Any
    flip: Any
    validation_fraction: Any
    n_iter_no_change: Any
    precision: Any

    def __post_init__(self) -> None:
        widths = self.widths
        countable = isinstance(widths, (tuple, list)) and len(widths) > 0
        if not countable or not all(_is_count(width, 1) for width in widths):
            raise InputError(f"widths is {widths!r}; expected the channels of each block, such as (64, 128)")
        for name, least in (("epochs", 1), ("batch_size", 1), ("shift", 0)):
            value = getattr(self, name)
            if value is not None and not _is_count(value, least):
                raise InputError(f"{name} is {value!r}; expected None or a whole number >= {least}")
        if not _is_count(self.n_iter_no_change, 1):
            raise InputError(f"n_iter_no_change is {self.n_iter_no_change!r}; expected a whole number >= 1")
        if not isinstance(self.flip, (bool, int)):
            raise InputError(f"flip is {self.flip!r}; expected True or False")
        if not _is_share(self.label_smoothing) and self.label_smoothing != 0:
            raise InputError(f"label_smoothing is {self.label_smoothing!r}; expected a number from 0 to below 1")
        if not _is_share(self.validation_fraction):
            raise InputError(f"validation_fraction is {self.validation_fraction!r}; expected a number between 0 and 1")
        if self.precision not in PRECISIONS:
            hint = did_you_mean(str(self.precision), PRECISIONS)
            raise InputError(f"precision is {self.precision!r}{hint}; expected one of {', '.join(PRECISIONS)}")

    def rows_a_step(self, samples: int) -> int:
        """Return the batch size: as asked for, or by the number of images."""
        wanted = self.batch_size or min(MOST_ROWS, max(LEAST_ROWS, samples // STEPS_OF_FEW))
        return int(min(wanted, samples))

    def passes(self, steps_a_pass: int) -> int:
        """Return the epochs: as asked for, or enough steps where an epoch has few."""
        if self.epochs is not None:
            return int(self.epochs)
        return min(max(PASSES, math.ceil(LEAST_STEPS / steps_a_pass)), MOST_PASSES)

    def augmentation(self, height: int, width: int) -> Augmentation:
        """Return how images are moved: by 2 pixels of 28 or 32, unless it was said."""
        return Augmentation(round(min(height, width) / 14) if self.shift is None else int(self.shift), bool(self.flip))

    def dtype(self, device: torch.device) -> torch.dtype:
        """Return what convolutions are computed in."""
        if self.precision == "auto":
            return torch.bfloat16 if has_fast_bfloat16(device) else torch.float32
        return torch.bfloat16 if self.precision == "bfloat16" else torch.float32


def triangle(steps: int) -> Callable[[int], float]:
    """Return the default schedule: up in a tenth of the steps, and down to 0 in the rest."""
    rise = math.ceil(RISE * steps)
    return trapezoid(steps, up=rise, down=steps - rise, first=1.0 / (rise + 1))


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and int(value) >= least


def _is_share(value: Any) -> bool:
    return isinstance(value, float | np.floating) and 0 < float(value) < 1
