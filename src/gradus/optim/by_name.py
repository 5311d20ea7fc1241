"""Which parameters a penalty is for, by the names that a network gives them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from gradus.core.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from gradus.core.protocols import Proximable


def by_name(model: nn.Module, patterns: Mapping[str, Proximable]) -> dict[nn.Parameter, Proximable]:
    """Return the penalty of each parameter whose name fits a pattern; of several patterns the first counts.

    Parameters
    ----------
    model : any module
    patterns : from a pattern, as "features.*.weight", in which * stands for any text, to a penalty

    Raises
    ------
    InputError : if no parameter is left for a pattern

    Examples
    --------
    >>> import torch
    >>> from gradus.penalties import L1
    >>> model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))
    >>> [tuple(parameter.shape) for parameter in by_name(model, {"*.weight": L1(0.1)})]
    [(2, 3), (1, 2)]
    """
    named = dict(model.named_parameters())
    found: dict[nn.Parameter, Proximable] = {}
    for pattern, penalty in patterns.items():
        fits = [named[name] for name in named if fnmatchcase(name, pattern) and named[name] not in found]
        if not fits:
            raise InputError(
                f"no parameter is left for the pattern {pattern!r}{did_you_mean(pattern, named)}: correct it"
            )
        found |= dict.fromkeys(fits, penalty)
    return found
