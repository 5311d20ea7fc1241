"""``gradus check``: is this gradient right?"""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from gradus.cli.options import FlatSession, Session


def command(
    target: Annotated[str, Parameter(name="TARGET")],
    /,
    *,
    shape: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    inputs: str | None = None,
    dtype: str = "float32",
    backward: str | None = None,
    reference: str | None = None,
    seed: int = 0,
    case: Annotated[tuple[str, ...], Parameter(negative="")] = (),
    session: FlatSession = Session(),
) -> int:
    """Check the gradient of a function: the exit code is 0 if no error was found and 1 if one was.

    Without --backward it is the gradient that torch.autograd makes of the function.

    Parameters
    ----------
    target
        The function: `package.module:function` or `file.py:function`; it is imported and run.
    shape
        Shape of an input, such as 5,7; once for every input. Its values are drawn with the seed.
    inputs
        Instead of --shape: name of a tuple of inputs in the same module, or of a function that returns one.
    dtype
        Of the inputs that are drawn: float64, float32, float16 or bfloat16.
    backward
        Name of the pullback in the same module: a function of (upstream, *inputs).
    reference
        Name of a function in the same module that is trusted instead of the one that is checked.
    seed
        Of everything drawn; same seed, same verdict.
    case
        Look at this situation only; a failure names the one it was seen in.
    """
    from gradus.check.gradient import check_gradient
    from gradus.check.settings import Settings
    from gradus.check.target import Target, given_inputs, random_inputs
    from gradus.cli.show import print_json
    from gradus.core.devices import use_threads
    from gradus.core.errors import InputError

    use_threads(session.threads)
    place = Target.of(target)
    function = place.get()
    if bool(shape) == (inputs is not None):
        raise InputError("the inputs are not said, or said twice: give --shape for each of them, or --inputs NAME")
    values = given_inputs(place.get(inputs), str(inputs)) if inputs else random_inputs(shape, dtype, seed)
    settings = Settings(place.get(reference) if reference else None, seed, case or None)
    verdict = check_gradient(function, place.get(backward) if backward else None, *values, settings=settings)
    if session.json:
        print_json(verdict.as_dict())
    else:
        from rich.console import Console

        Console(highlight=False, soft_wrap=True).print(str(verdict), markup=False)
    return 0 if verdict.passed else 1
