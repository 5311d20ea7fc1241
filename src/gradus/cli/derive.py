"""``gradus derive``: a formula becomes a worked derivation, a closed form, or code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from cyclopts import Group, Parameter

_output = Group("Output", sort_key=2)


class Format(Enum):
    """How the derivation is written."""

    TEXT = "text"
    LATEX = "latex"
    MARKDOWN = "markdown"
    HTML = "html"
    NUMPY = "numpy"
    TORCH = "torch"
    JSON = "json"


class Order(Enum):
    """What is derived."""

    GRADIENT = "gradient"
    JACOBIAN = "jacobian"
    PULLBACK = "pullback"
    HESSIAN = "hessian"
    HVP = "hvp"


@dataclass(frozen=True)
class Wanted:
    """What is derived, in what, and where.

    Attributes
    ----------
    wrt
        The variable to differentiate in, or several, as W,b. All that the formula depends on by default.
    of
        The definition to differentiate. The last one by default.
    at
        Values of all variables, for intermediate values: x=1,y=[0.5,2],W=[[1,0],[0,1]].
    order
        The gradient of a scalar; the Jacobian of an array; the pullback, an upstream gradient times the Jacobian;
        the Hessian; or hvp, the Hessian times a direction v.
    """

    wrt: str | None = None
    of: str | None = None
    at: str | None = None
    order: Order = Order.GRADIENT


@dataclass(frozen=True)
class Output:
    """How it is printed.

    Attributes
    ----------
    format
        numpy and torch print a function that runs.
    json
        The same as --format json.
    debug
        Show the traceback of an error.
    """

    format: Format = Format.TEXT
    json: bool = False
    debug: bool = False


def command(
    *source: Annotated[str, Parameter(name="FORMULA")],
    wanted: Annotated[Wanted, Parameter(name="*")] = Wanted(),
    output: Annotated[Output, Parameter(name="*", group=_output)] = Output(),
) -> int:
    """Derive the closed-form gradient of a formula, step by step.

    Parameters
    ----------
    source
        The formula; or a file with it (in Markdown, its blocks marked gradus), or `-` for standard input. Several are
        read one after the other.
    """
    from gradus.cli.formulas import read_sources
    from gradus.core.errors import InputError
    from gradus.derive import derive
    from gradus.derive.values import read_values

    text = read_sources(source)
    if not text.strip():
        raise InputError('no formula was given, expected one such as gradus derive "f = x^2"')
    values = None if wanted.at is None else read_values(wanted.at)
    found = derive(text, wanted.wrt, at=values, order=wanted.order.value, of=wanted.of)
    _print(found, Format.JSON if output.json else output.format)
    return 0


def _print(found: object, form: Format) -> None:
    import sys

    from gradus.derive import Derivation

    assert isinstance(found, Derivation)
    if form is Format.JSON:
        from gradus.cli.show import print_json

        print_json(found.json())
        return
    writers = {
        Format.TEXT: found.text,
        Format.LATEX: found.latex,
        Format.MARKDOWN: found.markdown,
        Format.HTML: lambda: f'<!doctype html><meta charset="utf-8"><title>gradus derive</title>\n{found.html()}',
        Format.NUMPY: found.numpy,
        Format.TORCH: found.torch,
    }
    sys.stdout.write(writers[form]().rstrip("\n") + "\n")
