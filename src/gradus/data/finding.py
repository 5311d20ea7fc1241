"""From what a person typed to the reader of it, with a sentence for everything that can be wrong on the way."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradus.core.errors import InputError, did_you_mean
from gradus.data.readers import BUNDLED, FOLDER, READERS, Reader
from gradus.data.text import readable, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gradus.data.options import ReadOptions

PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".bin", ".ckpt", ".p")
SPECIFIC = {
    "label": "a label column (--label)",
    "labels": "a file of labels (--labels)",
    "ids": "ids (--ids)",
    "color": "a column to colour by (--color)",
    "size": "an image size (--size)",
    "channels": "a number of channels (channels)",
    "test": "a second source of test rows (--test)",
}


def find_reader(source: str | Path) -> Reader:
    """Return the reader for ``source``.

    Raises
    ------
    InputError : if nothing is there (a sibling's name is offered), it is a pickle, or the format is unknown
    """
    if source == BUNDLED:
        return READERS[0]
    path = Path(source)
    shown = shown_path(path)
    if "\0" in str(path) or not os.path.lexists(path):
        raise InputError(f"{shown}: there is no such file or folder{_nearest(path)}; expected {expected_sources()}")
    if path.is_dir():
        return next(reader for reader in READERS if reader.kind == FOLDER)
    if path.suffix.lower() in PICKLES:
        raise InputError(
            f"{shown}: a {path.suffix} file is a pickle, which is never loaded because that can run code; "
            "save the arrays with numpy.savez, or as Parquet"
        )
    for reader in READERS:
        if path.name.lower().endswith(reader.suffixes) and reader.suffixes:
            if not path.exists():
                raise InputError(f"{shown}: a link to something that is not there; correct the link")
            if not path.is_file():
                raise InputError(f"{shown}: a pipe or a device; expected a file: save the data to one first")
            return reader
    ending = f"the ending {path.suffix!r} is not known" if path.suffix else "the name has no ending"
    raise InputError(f"{shown}: {ending}; expected {expected_sources()}")


def expected_sources() -> str:
    """Return the list of what can be read, for the end of a sentence."""
    suffixes = [suffix for reader in READERS for suffix in reader.suffixes]
    return f"'{BUNDLED}', a folder with one sub-folder of images per class, or a file {', '.join(suffixes)}"


def check_options(reader: Reader, options: ReadOptions) -> None:
    """Refuse an option that this format has no use for, and values that mean nothing."""
    for field, words in SPECIFIC.items():
        if getattr(options, field) is not None and field not in reader.accepts:
            takers = [other.kind for other in READERS if field in other.accepts]
            raise InputError(f"{words} was given, but {reader.kind} has no use for it; it is for {', '.join(takers)}")
    if options.channels not in (None, 1, 3):
        raise InputError(f"the number of channels is {options.channels}; expected 1 (grey) or 3 (colour)")
    if options.size is not None and not all(0 < side <= 4096 for side in options.size):
        raise InputError(f"the image size is {options.size}; expected a height and a width from 1 to 4096 pixels")


def understood(source: str | Path, options: ReadOptions) -> ReadOptions:
    """Return ``options`` without those that the format of ``source`` has no use for.

    For what was said of one source and is to hold for another, which may be of another format; what is said of a source
    itself is refused where it means nothing.

    Raises
    ------
    InputError : as `find_reader`
    """
    useless: dict[str, Any] = dict.fromkeys(SPECIFIC.keys() - find_reader(source).accepts)
    return replace(options, **useless)


@contextmanager
def explained(source: str | Path) -> Iterator[None]:
    """Turn what the operating system says of ``source`` into a sentence."""
    shown = shown_path(source)
    try:
        yield
    except PermissionError as error:
        raise InputError(
            f"{shown_path(error.filename or shown)}: permission to read it is denied; grant it or copy the data"
        ) from error
    except MemoryError as error:
        raise InputError(
            f"{shown}: does not fit in memory ({error}); give a sample (--sample) or smaller images"
        ) from error
    except OSError as error:
        raise InputError(
            f"{shown_path(error.filename or shown)}: cannot be read ({error.strerror or error}); "
            "check the file and the disk"
        ) from error


def _nearest(path: Path) -> str:
    try:
        siblings = [sibling.name for sibling in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        return ""
    return did_you_mean(readable(path.name), [*map(readable, siblings), BUNDLED])
