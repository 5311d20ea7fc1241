"""Parquet: columns of numbers, one column of lists (embeddings), or one of images as Hugging Face writes them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gradus.core.errors import InputError
from gradus.core.progress import task
from gradus.data.checks import check_some
from gradus.data.columns import Columns, choose_columns
from gradus.data.image_batches import read_images
from gradus.data.readers.arrow_columns import (
    color_of,
    first_value,
    is_image,
    is_number,
    is_text,
    is_vector,
    labels_of,
    matrix_of_numbers,
    matrix_of_vectors,
    names_of,
    value_type,
)
from gradus.data.source import Content, Source
from gradus.data.text import listed, one_line, quoted, readable, shown_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gradus.data.options import ReadOptions
    from gradus.data.source import Load


@dataclass(frozen=True)
class _Opened:
    """A file, its columns by name, and the sentence's name for it."""

    file: pq.ParquetFile
    where: str

    @property
    def names(self) -> list[str]:
        return [readable(name) for name in self.file.schema_arrow.names]

    def kind(self, column: int) -> pa.DataType:
        kind = self.file.schema_arrow.field(column).type
        return kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind

    def column(self, column: int) -> pa.ChunkedArray:
        return self.file.read(columns=[self.file.schema_arrow.names[column]]).column(0)

    def tables(self, columns: Sequence[int], rows: NDArray[np.int64]) -> Iterator[tuple[pa.Table, NDArray[np.int64]]]:
        """Yield the columns, a row group at a time: only the groups and the rows that are asked for."""
        wanted = [self.file.schema_arrow.names[column] for column in columns]
        start = 0
        for group in range(self.file.num_row_groups):
            end = start + self.file.metadata.row_group(group).num_rows
            inside = rows[(rows >= start) & (rows < end)]
            if len(inside):
                table = self.file.read_row_group(group, columns=wanted).select(wanted)
                yield (table if len(inside) == end - start else table.take(pa.array(inside - start))), inside
            start = end


def open_parquet(path: Path, options: ReadOptions) -> Source:
    """Open a Parquet file: label and ids are read, the features only for the rows asked for.

    Raises
    ------
    InputError : if the file is damaged, the label column cannot be told, or the columns are neither numbers, nor
        beside others one of lists or of images
    """
    where = shown_path(path)
    try:
        opened = _Opened(pq.ParquetFile(pa.OSFile(os.fsencode(path))), where)
        with task(f"opening {readable(path.name)}"):
            return _source(path, opened, options)
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, PermissionError):
            raise
        raise InputError(f"{where}: not a readable Parquet file ({one_line(error)}); write it again") from error


def _source(path: Path, opened: _Opened, options: ReadOptions) -> Source:
    classes = _declared_classes(opened)
    declared = next(iter(classes)) if len(classes) == 1 else None
    columns = _without_text(opened, choose_columns(opened.names, options, opened.where, declared))
    load, notes = _load(opened, columns, options)
    label, ids = columns.label, columns.ids
    names = None if ids is None else names_of(opened.column(ids), opened.where)
    return Source(
        where=opened.where,
        name=readable(path.stem) or opened.where,
        rows=opened.file.metadata.num_rows,
        load=_guarded(load, opened.where),
        labels=None
        if label is None
        else labels_of(
            opened.column(label), classes.get(opened.names[label]), f"{opened.where}[{quoted(opened.names[label])}]"
        ),
        row_ids=names,
        color=None if columns.color is None else color_of(opened.column(columns.color), opened.names[columns.color]),
        notes=(*columns.notes, *notes),
    )


def _without_text(opened: _Opened, columns: Columns) -> Columns:
    """Return the columns with that of the colours no feature where it holds text."""
    if columns.color is None or not is_text(value_type(opened.kind(columns.color))):
        return columns
    return replace(columns, features=tuple(column for column in columns.features if column != columns.color))


def _guarded(load: Load, where: str) -> Load:
    """Return ``load`` with a sentence for damage that shows only when the rows are read."""

    def guarded(rows: NDArray[np.int64]) -> Content:
        try:
            return load(rows)
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{where}: the Parquet file is damaged ({one_line(error)}); write it again") from error

    return guarded


def _declared_classes(opened: _Opened) -> Mapping[str, Sequence[str]]:
    """Return the class names by column that the file declares in Hugging Face's part of its metadata."""
    metadata = opened.file.schema_arrow.metadata or {}
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"].items()
        found = {
            column: tuple(str(name) for name in feature["names"])
            for column, feature in features
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel"
        }
    except (ValueError, LookupError, TypeError, AttributeError):
        return {}  # another program's metadata, or none: nothing is declared
    return {column: names for column, names in found.items() if column in opened.names}


def _load(opened: _Opened, columns: Columns, options: ReadOptions) -> tuple[Load, tuple[str, ...]]:
    """Return what reads the features, and a note of the columns that it leaves out."""
    check_some(opened.file.metadata.num_rows, len(columns.features), opened.where)
    for wanted, what, make in ((is_image, "images", _images), (is_vector, "lists", _vectors)):
        found = [column for column in columns.features if wanted(opened.kind(column))]
        if len(found) > 1:
            names = listed(opened.names[column] for column in found)
            raise InputError(f"{opened.where}: the columns {names} all hold {what}; expected one: remove the others")
        if found:
            return make(opened, found[0], options), _left_out(opened, columns, found[0])
    _check_form(opened, options)
    _check_numbers(opened, columns)
    return _numbers(opened, columns.features), ()


def _left_out(opened: _Opened, columns: Columns, used: int) -> tuple[str, ...]:
    others = [opened.names[column] for column in columns.features if column != used]
    if not others:
        return ()
    return (f"The features are the column {quoted(opened.names[used])}; {listed(others)} were left out.",)


def _check_numbers(opened: _Opened, columns: Columns) -> None:
    for column in columns.features:
        if not is_number(opened.kind(column)):
            raise InputError(
                f"{opened.where}: the column {quoted(opened.names[column])}, of the type {opened.kind(column)}, holds "
                f"{first_value(opened.column(column))}; expected numbers in every column but the label: "
                "remove or encode the column, or name it as the label (--label) or the ids (--ids)"
            )


def _check_form(opened: _Opened, options: ReadOptions) -> None:
    if options.size is not None or options.channels is not None:
        raise InputError(f"{opened.where}: holds no images; leave out the image size (--size) and the channels")


def _images(opened: _Opened, column: int, options: ReadOptions) -> Load:
    def load(rows: NDArray[np.int64]) -> Content:
        data = (cell and cell["bytes"] for table, _ in opened.tables([column], rows) for cell in table[0].to_pylist())
        return read_images(data, [f"{opened.names[column]} of row {row}" for row in rows], opened.where, options)

    return load


def _vectors(opened: _Opened, column: int, options: ReadOptions) -> Load:
    _check_form(opened, options)

    def load(rows: NDArray[np.int64]) -> Content:
        parts: list[NDArray[np.floating]] = []
        with task("reading rows", len(rows)) as under_way:
            for table, inside in opened.tables([column], rows):
                width = parts[0].shape[1] if parts else None
                parts.append(
                    matrix_of_vectors(table.column(0), inside, width, f"{opened.where}[{quoted(opened.names[column])}]")
                )
                under_way.advance(len(inside))
        return Content(np.ascontiguousarray(np.concatenate(parts)))

    return load


def _numbers(opened: _Opened, columns: Sequence[int]) -> Load:
    def load(rows: NDArray[np.int64]) -> Content:
        parts: list[NDArray[np.floating]] = []
        with task("reading rows", len(rows)) as under_way:
            for table, inside in opened.tables(columns, rows):
                parts.append(matrix_of_numbers(table))
                under_way.advance(len(inside))
        names = tuple(opened.names[column] for column in columns)
        return Content(np.ascontiguousarray(np.concatenate(parts)), feature_names=names)

    return load
