"""What is in a folder: sub-folders, images and other files, hidden ones left out, links followed once."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gradus.data.images import SUFFIXES

LEFT_BEHIND = ("__MACOSX", "__pycache__")


@dataclass(frozen=True)
class Folder:
    """What lies in one folder, each sorted by name.

    Attributes
    ----------
    folders : sub-folders
    images : files with an image's ending
    others : every other file
    """

    folders: tuple[Path, ...]
    images: tuple[Path, ...]
    others: tuple[Path, ...]


def look_into(path: Path) -> Folder:
    """Return what lies in ``path`` itself; names that begin with a dot are left out."""
    folders: list[Path] = []
    images: list[Path] = []
    others: list[Path] = []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.startswith(".") or entry.name in LEFT_BEHIND:
                continue
            if entry.is_dir():
                folders.append(Path(entry.path))
            elif _is_image(entry):
                images.append(Path(entry.path))
            else:
                others.append(Path(entry.path))
    return Folder(tuple(sorted(folders)), tuple(sorted(images)), tuple(sorted(others)))


def look_below(path: Path) -> Folder:
    """Return the images and other files in ``path`` and in all folders below it.

    A folder reached twice counts once, and a link that leads up to a folder on the way here is not followed: it would
    never end, and would bring the images of other classes in.
    """
    images: list[Path] = []
    others: list[Path] = []
    waiting = [path]
    seen = {(above.stat().st_dev, above.stat().st_ino) for above in path.resolve().parents}
    while waiting:
        folder = waiting.pop()
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        inside = look_into(folder)
        images.extend(inside.images)
        others.extend(inside.others)
        waiting.extend(reversed(inside.folders))
    return Folder((), tuple(images), tuple(others))


def _is_image(entry: os.DirEntry[str]) -> bool:
    """Say whether the name is an image's; a pipe or a device is none, a broken link is one that cannot be read."""
    if not entry.name.lower().endswith(SUFFIXES):
        return False
    return entry.is_file() or (entry.is_symlink() and not Path(entry.path).exists())
