"""Which column of a table is the label, which names the rows, and which are features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradus.core.errors import InputError, did_you_mean
from gradus.data.text import listed, quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gradus.data.options import ReadOptions

USUAL_LABELS = ("label", "target", "class", "y")


@dataclass(frozen=True)
class Columns:
    """Positions of columns, in the order of the table; ``features`` are all that are neither label nor ids.

    The column of colours is among the features where it is neither; a reader that finds text in it leaves it out.
    """

    label: int | None
    ids: int | None
    color: int | None
    features: tuple[int, ...]
    notes: tuple[str, ...] = ()


def choose_columns(names: Sequence[str], options: ReadOptions, where: str, declared: str | None = None) -> Columns:
    """Return what the columns are for.

    Parameters
    ----------
    names : of all columns
    options : ``label``, ``ids``, ``color`` and ``labelled`` count
    where : how a sentence names the table
    declared : the column that the file itself declares to hold the classes, used where none is asked for

    Raises
    ------
    InputError : if a column that is asked for is not there or is there twice, or no label is asked for and none, or
        more than one, has a usual name
    """
    notes: list[str] = []
    if options.label is None:
        label = _usual_label(names, options, where, declared)
    elif options.label not in names and not options.labelled:
        near = did_you_mean(options.label, names)
        notes.append(f"There is no column {quoted(options.label)}{near}: read without labels.")
        label = None
    else:
        label = _position(names, options.label, where, "--label")
    ids = None if options.ids is None else _position(names, options.ids, where, "--ids")
    color = None if options.color is None else _position(names, options.color, where, "--color")
    if label is not None and label == ids:
        raise InputError(
            f"{where}: the column {quoted(names[label])} was given as label and as ids; expected two columns"
        )
    features = tuple(column for column in range(len(names)) if column not in (label, ids))
    return Columns(label, ids, color, features, tuple(notes))


def _position(names: Sequence[str], name: str, where: str, option: str) -> int:
    count = list(names).count(name)
    if count == 0:
        raise InputError(
            f"{where}: there is no column {quoted(name)}{did_you_mean(name, names)}; "
            f"expected one of {listed(names)} ({option})"
        )
    if count > 1:
        raise InputError(f"{where}: {count} columns are called {quoted(name)}; expected one: rename the others")
    return list(names).index(name)


def _usual_label(names: Sequence[str], options: ReadOptions, where: str, declared: str | None) -> int | None:
    usual = [column for column, name in enumerate(names) if name.strip().lower() in USUAL_LABELS]
    if len(usual) == 1:
        return usual[0]
    if declared is not None and not usual:
        return list(names).index(declared)
    if not options.labelled and not usual:
        return None
    problem = (
        f"the columns {listed(names[column] for column in usual)} could all be the label"
        if usual
        else (f"no column is called {', '.join(USUAL_LABELS[:-1])} or {USUAL_LABELS[-1]}")
    )
    raise InputError(f"{where}: {problem}; name the label column (--label) among {listed(names)}")
