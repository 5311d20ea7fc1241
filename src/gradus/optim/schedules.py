"""Factors on the learning rate, as functions of the step's number: what ``torch.optim.lr_scheduler.LambdaLR`` takes.

Steps are counted from 0. A schedule goes on past its end with its last factor, and never raises.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gradus.core.errors import InputError
from gradus.optim.stepping import not_negative

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Schedule = Callable[[int], float]

# where one-cycle begins and ends, relative to its peak
ONE_CYCLE_START, ONE_CYCLE_END = 1 / 25, 1 / 250_000


def constant(factor: float = 1.0) -> Schedule:
    """Return the schedule that is ``factor`` at every step.

    Examples
    --------
    >>> constant()(7)
    1.0
    """
    not_negative("the factor of constant", factor)
    return lambda step: factor


def linear(total: int, *, first: float = 1.0, last: float = 0.0) -> Schedule:
    """Return the schedule that goes in a straight line from ``first`` at step 0 to ``last`` at step ``total``.

    Raises
    ------
    InputError : if ``total`` is not positive or a factor is negative; as in all schedules

    Examples
    --------
    >>> [linear(4)(step) for step in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    _checked("linear", total, first=first, last=last)
    return lambda step: first + (last - first) * _share(step, total)


def cosine(total: int, *, last: float = 0.0) -> Schedule:
    """Return the schedule last + (1 - last) (1 + cos(pi step / total)) / 2.

    References
    ----------
    Loshchilov & Hutter 2017, SGDR, equation 5, without restarts

    Examples
    --------
    >>> [round(cosine(4)(step), 3) for step in range(6)]
    [1.0, 0.854, 0.5, 0.146, 0.0, 0.0]
    """
    _checked("cosine", total, last=last)
    return lambda step: _eased(1.0, last, _share(step, total))


def trapezoid(total: int, *, up: int, down: int, first: float = 0.0, last: float = 0.0) -> Schedule:
    """Return the schedule that rises from ``first`` in ``up`` steps, stays at 1, and falls to ``last`` in ``down``.

    With up + down = total it is a triangle.

    References
    ----------
    Zhai et al. 2022, Scaling vision transformers, section 3.5; Hagele et al. 2024, Scaling laws and compute-optimal
    training beyond fixed training durations

    Examples
    --------
    >>> [trapezoid(6, up=2, down=2)(step) for step in range(8)]
    [0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0]
    """
    _checked("trapezoid", total, first=first, last=last)
    if min(up, down) < 0 or up + down > total:
        raise InputError(f"trapezoid has {up} steps up and {down} down of {total} in all; expected no more than all")

    def factor(step: int) -> float:
        if step < up:
            return first + (1.0 - first) * step / up
        return last + (1.0 - last) * _share(total - step, down) if down else 1.0

    return factor


def one_cycle(
    total: int, *, peak: float = 0.3, first: float = ONE_CYCLE_START, last: float = ONE_CYCLE_END
) -> Schedule:
    """Return the schedule that eases from ``first`` to 1 until the share ``peak`` of the steps, then to ``last``.

    Both ways along half a cosine. Factors are relative to the highest learning rate, which is the optimiser's own;
    ``torch.optim.lr_scheduler.OneCycleLR`` takes the same steps with ``max_lr`` at that.

    References
    ----------
    Smith & Topin 2019, Super-convergence; the defaults of fast.ai

    Examples
    --------
    >>> [round(one_cycle(10)(step), 3) for step in range(10)]
    [0.04, 0.52, 1.0, 0.95, 0.812, 0.611, 0.389, 0.188, 0.05, 0.0]
    """
    _checked("one_cycle", total, first=first, last=last)
    if not 0 < peak < 1:
        raise InputError(f"one_cycle's peak is at {peak} of the steps; expected a share between 0 and 1")
    top = peak * total - 1

    def factor(step: int) -> float:
        if step < top:
            return _eased(first, 1.0, step / top)
        return _eased(1.0, last, _share(step - top, total - 1 - top))

    return factor


def steps(factors: Mapping[int, float]) -> Schedule:
    """Return the schedule that is 1 until the first step named, and from each on the factor that stands beside it.

    Examples
    --------
    >>> [steps({2: 0.1, 4: 0.01})(step) for step in range(6)]
    [1.0, 1.0, 0.1, 0.1, 0.01, 0.01]
    """
    for step, factor in factors.items():
        not_negative(f"the factor from step {step} on", factor)
    ordered = sorted(factors.items(), reverse=True)
    return lambda step: next((factor for start, factor in ordered if step >= start), 1.0)


def warmed_up(schedule: Schedule, over: int, *, first: float = 0.0) -> Schedule:
    """Return the schedule that goes straight from ``first`` to 1 in ``over`` steps, then follows ``schedule``.

    The schedule's own steps are counted from the end of the warm-up.

    Examples
    --------
    >>> [warmed_up(linear(2), over=2)(step) for step in range(5)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    _checked("warmed_up", over, first=first)
    return lambda step: first + (1.0 - first) * step / over if step < over else schedule(step - over)


def _share(step: float, total: float) -> float:
    return min(max(step / total, 0.0), 1.0)


def _eased(start: float, end: float, share: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + math.cos(math.pi * share))


def _checked(name: str, total: int, **factors: float) -> None:
    if not isinstance(total, int | float) or not total > 0:
        raise InputError(f"{name} was given {total!r} steps; expected a positive number")
    for factor, value in factors.items():
        not_negative(f"{name}'s factor {factor!r}", value)
