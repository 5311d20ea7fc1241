"""Channels that a penalty takes out of a network: their scale and shift, right after the norm, become exactly zero."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from gradus.core.errors import InputError
from gradus.optim import Proximal, of_filters

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch.optim import Optimizer

    from gradus.core.protocols import Proximable

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
# shares of a training between which channels are chosen
CHOSEN_FROM, CHOSEN_UNTIL = 0.25, 0.5


class Phases(NamedTuple):
    """When the channels of a network are chosen.

    Attributes
    ----------
    first : steps that are taken before
    last : the number of the last step that chooses, counted from 1
    """

    first: float
    last: float

    @classmethod
    def of(cls, steps: int) -> Phases:
        """Return those of a training of so many steps.

        Examples
        --------
        >>> Phases.of(100)
        Phases(first=25, last=50)
        >>> Phases.of(1)
        Phases(first=0, last=1)
        """
        return cls(math.floor(CHOSEN_FROM * steps), math.ceil(CHOSEN_UNTIL * steps))


# of a training without end: channels are chosen at every step
ALWAYS = Phases(0, math.inf)


def channel_norms(network: nn.Module) -> list[nn.Module]:
    """Return the batch norms of a network that scale and shift, all of which learn both from now on.

    Raises
    ------
    InputError : if the network has none
    """
    norms = [layer for layer in network.modules() if isinstance(layer, _NORMS) and layer.affine]
    if not norms:
        raise InputError(
            f"penalty was given and {type(network).__name__} has no batch norm with a scale, where channels end: leave "
            "it out, or give a network with norms"
        )
    for norm in norms:
        norm.weight.requires_grad_()
        norm.bias.requires_grad_()
    return list(norms)


class SparseChannels(torch.optim.Optimizer):
    """An optimiser's steps, some of which choose channels; those that were not chosen are zero for good.

    Before the first choice the steps are the optimiser's. Then the penalty's proximal step follows each on the scales
    of every norm, given to it as a column (channels, 1), in the metric of the optimiser; a channel whose scale is zero
    has no shift. After the last choice channels that are zero stay so, and the others learn without the penalty, which
    would shrink them.

    Parameters
    ----------
    optimizer : any that ``Proximal`` knows, which moves the norms
    norms : batch norms
    penalty : which makes rows of a matrix zero
    phases : when

    Examples
    --------
    >>> from gradus.penalties import RowsAtMost
    >>> norm = nn.BatchNorm1d(2)
    >>> sgd = torch.optim.SGD(norm.parameters(), lr=0.1)
    >>> optimizer = SparseChannels(sgd, [norm], RowsAtMost(0.5), Phases(0, 1))
    >>> norm.weight.grad, norm.bias.grad = torch.tensor([-1.0, 1.0]), torch.ones(2)
    >>> for _ in range(2):
    ...     optimizer.step()
    >>> norm.weight.tolist(), norm.bias.tolist()
    ([1.2000000476837158, 0.0], [-0.20000000298023224, 0.0])
    """

    def __init__(
        self, optimizer: Optimizer, norms: Sequence[nn.Module], penalty: Proximable, phases: Phases = ALWAYS
    ) -> None:
        self._norms: list[Any] = list(norms)
        self._phases, self._taken = phases, 0
        self._free = optimizer
        self._choosing = Proximal(optimizer, {norm.weight: of_filters(penalty) for norm in self._norms})
        super().__init__(optimizer.param_groups, optimizer.defaults)
        self._share()

    def _share(self) -> None:
        # the same objects, so that what a schedule writes is what the optimiser reads
        self.param_groups, self.state = self._free.param_groups, self._free.state

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Take a step; return the closure's loss."""
        self._taken += 1
        if self._taken <= self._phases.first:
            return self._free.step(closure)
        if self._taken <= self._phases.last:
            loss = self._choosing.step(closure)
            gone = [norm.weight == 0 for norm in self._norms]
        else:
            gone = [norm.weight == 0 for norm in self._norms]
            loss = self._free.step(closure)
        for norm, its in zip(self._norms, gone, strict=True):
            norm.weight.masked_fill_(its, 0.0)
            norm.bias.masked_fill_(its, 0.0)
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the optimiser inside, and how many steps were taken."""
        return self._free.state_dict() | {"taken": self._taken}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where a state was taken."""
        inner = dict(state_dict)
        self._taken = int(inner.pop("taken"))
        self._free.load_state_dict(inner)
        self._share()


def choosing_channels(
    optimizers: Sequence[Optimizer], network: nn.Module, penalty: Proximable, phases: Phases
) -> tuple[Optimizer, ...]:
    """Return the optimisers; those that move a network's norms choose channels by the penalty.

    ``gradus.optim.prune_channels`` takes the channels that are zero out of the network.
    """
    norms = channel_norms(network)
    made: list[Optimizer] = []
    for optimizer in optimizers:
        moved = {parameter for group in optimizer.param_groups for parameter in group["params"]}
        its = [norm for norm in norms if norm.weight in moved]
        made.append(SparseChannels(optimizer, its, penalty, phases) if its else optimizer)
    return tuple(made)
