"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from gradus.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

UNFINISHED = ".unfinished-"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a path to write to; when the block ends well it becomes ``path``, else it is deleted.

    A process killed at any moment leaves either the old ``path`` or the new one. The data is flushed to disk first.

    Raises
    ------
    InputError : if there is no such folder, or ``path`` is one
    """
    if not path.parent.is_dir():
        raise InputError(
            f"{path} cannot be written, since {path.parent} is no folder: make it, or name a file elsewhere"
        )
    if path.is_dir():
        raise InputError(f"{path} is a folder, and the name of a file was expected")
    handle, name = tempfile.mkstemp(prefix=UNFINISHED, suffix=path.suffix, dir=path.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        yield unfinished
        with unfinished.open("rb") as stream:
            os.fsync(stream.fileno())
        unfinished.chmod(0o666 & ~_umask())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
