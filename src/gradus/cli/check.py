"""``gradus check``: is this gradient right?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from gradus.cli.options import FlatSession, Session
from gradus.core.errors import InputError

_inputs = Group("Inputs", sort_key=1)
_judged = Group("Judged how", sort_key=2)


@dataclass(frozen=True)
class Inputs:
    """At which inputs a function is checked.

    Attributes
    ----------
    shape
        Shape of an input, such as 5,7; once for every input. Its values are drawn with the seed.
    inputs
        Instead of --shape: name of a tuple of inputs in the same module, or of a function that returns one.
    dtype
        Of the inputs that are drawn: float64, float32, float16 or bfloat16.
    device
        Where all inputs are put, such as cuda; the same numbers are drawn for any. The function is called there.
    """

    shape: tuple[str, ...] = ()
    inputs: str | None = None
    dtype: str = "float32"
    device: str = "cpu"


@dataclass(frozen=True)
class Judged:
    """What is compared with what.

    Attributes
    ----------
    backward
        Name of the pullback in the same module: a function of (upstream, *inputs).
    reference
        Name of a function in the same module that is trusted instead of the one that is checked.
    seed
        Of everything drawn; same seed, same verdict.
    case
        Look at this situation only; a failure names the one it was seen in.
    """

    backward: str | None = None
    reference: str | None = None
    seed: int = 0
    case: tuple[str, ...] = ()


def command(
    target: Annotated[str, Parameter(name="TARGET")],
    /,
    *,
    at: Annotated[Inputs, Parameter(name="*", group=_inputs)] = Inputs(),
    how: Annotated[Judged, Parameter(name="*", group=_judged)] = Judged(),
    session: FlatSession = Session(),
) -> int:
    """Check the gradient of a function, or the claims in a file: the exit code is 1 if anything was found wrong.

    Without --backward it is the gradient that torch.autograd makes of the function. A claim is a line such as

      claim dL/dW[i,j] = x[j]*(yhat[i] - y[i])

    after the formulas it is about, in a Markdown block that begins with ```gradus, or in a file of its own. A claim
    that is neither refuted nor seen to agree counts as wrong.

    Parameters
    ----------
    target
        The function: `package.module:function` or `file.py:function`; it is imported and run. Or a file of claims.
    """
    from gradus.core.devices import use_threads

    use_threads(session.threads)
    if is_file_of_claims(target):
        return _claims(Path(target), how.seed, session)
    from gradus.check.gradient import check_gradient
    from gradus.check.settings import Settings
    from gradus.check.target import Target, given_inputs, placed, random_inputs

    place = Target.of(target)
    if bool(at.shape) == (at.inputs is not None):
        raise InputError("the inputs are not said, or said twice: give --shape for each of them, or --inputs NAME")
    drawn = random_inputs(at.shape, at.dtype, how.seed) if at.shape else ()
    values = placed(given_inputs(place.get(at.inputs), at.inputs) if at.inputs else drawn, at.device)
    settings = Settings(place.get(how.reference) if how.reference else None, how.seed, how.case or None)
    pullback = place.get(how.backward) if how.backward else None
    verdict = check_gradient(place.get(), pullback, *values, settings=settings)
    _show(verdict.as_dict(), str(verdict), session)
    return 0 if verdict.passed else 1


def is_file_of_claims(target: str) -> bool:
    """Tell whether ``target`` names a file and not a function in a module.

    Examples
    --------
    >>> is_file_of_claims("notes.md"), is_file_of_claims("kernels.py:softmax")
    (True, False)
    """
    return ":" not in target and Path(target).suffix != ""


def _claims(path: Path, seed: int, session: Session) -> int:
    from gradus.check.claims import check_claims

    verdicts = check_claims(path, seed)
    text = "\n".join(f"{path.name}:{verdict}" for verdict in verdicts)
    _show({"claims": [verdict.as_dict() for verdict in verdicts]}, text, session)
    return 0 if all(verdict.passed for verdict in verdicts) else 1


def _show(facts: dict[str, Any], text: str, session: Session) -> None:
    from gradus.cli.show import print_json

    if session.json:
        print_json(facts)
        return
    from rich.console import Console

    Console(highlight=False, soft_wrap=True).print(text, markup=False)
