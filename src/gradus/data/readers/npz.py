"""NumPy archives: ``x_train``/``y_train``/``x_test``/``y_test``, or ``X``/``y``, and the usual other spellings."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from gradus.core.errors import InputError
from gradus.core.progress import task
from gradus.data.checks import check_same_length
from gradus.data.column import Column, column_of_cells, column_of_numbers
from gradus.data.joining import joined, stacked
from gradus.data.labels import from_array
from gradus.data.readers.array_source import array_source
from gradus.data.text import listed, one_line, quoted, readable, shown_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.data.options import ReadOptions
    from gradus.data.source import Source

FEATURES = ("x", "data", "features", "embeddings", "images")
LABELS = ("y", "labels", "label", "targets", "target")
VALIDATION = ("val", "valid", "validation")
EXPECTED = "expected 'x_train' and 'y_train' (with 'x_test' and 'y_test' for a test split), or 'X' and 'y': rename them"
# What NumPy and zipfile raise on bytes that are not what they should be.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, SyntaxError, tokenize.TokenError)


@dataclass(frozen=True)
class _Part:
    """The keys of one side of the archive."""

    features: str
    labels: str | None


def open_npz(path: Path, options: ReadOptions) -> Source:
    """Open an archive of arrays; nothing is ever unpickled.

    Raises
    ------
    InputError : if the archive is damaged or holds objects, or its arrays cannot be told apart by their names
    """
    with task(f"reading {readable(path.name)}"):
        arrays = _arrays(path)
    parts = _parts(shown_path(path), tuple(arrays))
    sources = {side: _source(path, side, part, arrays, options) for side, part in parts.items()}
    whole = next(iter(sources.values()))
    if len(sources) == 1:
        return whole
    for option in ("ids", "color"):
        if getattr(options, option) is not None:
            raise InputError(
                f"{shown_path(path)}: {option} cannot be given where the archive has a test split; leave the option out"
            )
    train = sources["train"]
    if "validation" in sources:
        note = f"The array {parts['validation'].features!r} was read as training rows, since there are test rows."
        train = replace(stacked(train, sources["validation"]), notes=(note,))
    return joined(train, sources["test"])


def _arrays(path: Path) -> dict[str, NDArray[np.generic]]:
    key = ""
    arrays: dict[str, NDArray[np.generic]] = {}
    try:
        # The stream is ours, because NumPy leaves its own open when the archive is damaged.
        with path.open("rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise InputError(f"{shown_path(path)}: not an archive but a single array; rename it to .npy")
            for key in archive.files:
                arrays[key] = archive[key]
    except DAMAGED as error:
        if isinstance(error, InputError):
            raise
        if "allow_pickle" in str(error) or "pickled" in str(error):
            inside = f"the array {key!r} holds Python objects" if key else "the file is a pickle"
            raise InputError(
                f"{shown_path(path)}: {inside}, which are never loaded because that can run code; "
                "expected numbers or text: save them with a plain dtype"
            ) from error
        raise InputError(
            f"{shown_path(path)}: not a readable .npz archive ({one_line(error)}); write it again"
        ) from error
    return arrays


def _parts(where: str, keys: tuple[str, ...]) -> dict[str, _Part]:
    """Return the parts by their side: "train", "validation" and "test", or "" for an archive without a split."""
    whole = _find_part(where, keys, ("",))
    train = _find_part(where, keys, ("train",))
    test, validation = _find_part(where, keys, ("test",)), _find_part(where, keys, VALIDATION)
    if train and whole:
        raise InputError(f"{where}: holds both {train.features!r} and {whole.features!r}; {EXPECTED}")
    if train and test and validation:
        return {"train": train, "validation": validation, "test": test}
    if train and (held_out := test or validation):
        return {"train": train, "test": held_out}
    only = train or whole
    if only is None:
        raise InputError(f"{where}: holds the arrays {listed(keys) or '(none)'}; {EXPECTED}")
    return {"": only}


def _find_part(where: str, keys: tuple[str, ...], sides: tuple[str, ...]) -> _Part | None:
    features = _find(where, keys, FEATURES, sides)
    return None if features is None else _Part(features, _find(where, keys, LABELS, sides))


def _find(where: str, keys: tuple[str, ...], names: tuple[str, ...], sides: tuple[str, ...]) -> str | None:
    spellings = {name + side for name in names for side in sides} | {side + name for name in names for side in sides}
    found = [key for key in keys if key.lower().replace("_", "").replace("-", "") in spellings]
    if len(found) > 1:
        raise InputError(f"{where}: the arrays {listed(found)} could mean the same; {EXPECTED}")
    return found[0] if found else None


def _source(
    path: Path, side: str, part: _Part, arrays: Mapping[str, NDArray[np.generic]], options: ReadOptions
) -> Source:
    where = f"{shown_path(path)}[{quoted(part.features)}]"
    labels = (
        None if part.labels is None else from_array(arrays[part.labels], f"{shown_path(path)}[{quoted(part.labels)}]")
    )
    if labels is None and options.labelled:
        raise InputError(
            f"{shown_path(path)}: {part.features!r} has no labels beside it among {listed(arrays)}; {EXPECTED}"
        )
    source = array_source(arrays[part.features], where, readable(path.stem), labels)
    if options.ids is not None:
        source = replace(source, row_ids=_ids(path, arrays, options.ids, source.rows))
    if options.color is not None:
        source = replace(source, color=_color(path, arrays, options.color, source.rows))
    return source


def _ids(path: Path, arrays: Mapping[str, NDArray[np.generic]], key: str, rows: int) -> list[str]:
    return [readable(str(value)) for value in _of_every_row(path, arrays, key, rows, "ids").tolist()]


def _color(path: Path, arrays: Mapping[str, NDArray[np.generic]], key: str, rows: int) -> Column:
    values = _of_every_row(path, arrays, key, rows, "color")
    if values.dtype.kind in "biuf":
        return column_of_numbers(key, values)
    return column_of_cells(key, [str(value) for value in values.tolist()])


def _of_every_row(
    path: Path, arrays: Mapping[str, NDArray[np.generic]], key: str, rows: int, option: str
) -> NDArray[np.generic]:
    if key not in arrays or arrays[key].ndim != 1:
        raise InputError(f"{shown_path(path)}: {option} names {key!r}; expected an array (n,) among {listed(arrays)}")
    check_same_length(rows, len(arrays[key]), shown_path(path), option)
    return arrays[key]
