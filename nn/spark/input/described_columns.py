"""The columns of a training set that is to be described: what each is used for, and why training refuses it."""

from __future__ import annotations

from typing import NamedTuple

from nn.core.errors import DataError
from nn.data.columns import Columns, matching
from nn.data.labels import REGRESSION
from nn.spark.input import table_columns
from nn.spark.input.reading_options import ReadingOptions
from nn.spark.input.table_columns import ARRAY, BYTES, CATEGORY, NUMBER, VECTOR, Kind
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import TextFile

INPUT, LABEL, WEIGHT, VALIDATION, ID, DROPPED = "input", "label", "weight", "validation", "id", "dropped"
SIDES = (LABEL, WEIGHT, VALIDATION, ID)
WIDE_TYPES = (ARRAY, VECTOR, "binary")


class FileColumn(NamedTuple):
    """A column of the file, and the columns of the summary that hold its values."""

    name: str
    role: str
    kind: Kind
    first: int  # of the summary
    refused: str = ""  # why training refuses it; "" where it does not
    texts: tuple[str, ...] = ()  # of its first rows, where they are strings

    @property
    def names(self) -> list[str]:
        """Return the names of its columns of the summary, as the inputs have them."""
        if not self.is_wide:
            return [self.name]
        return [f"{self.name}[{index}]" for index in range(self.kind.width)]

    @property
    def is_wide(self) -> bool:
        """Return whether its cells are arrays, vectors or bytes."""
        return self.kind.kind in (ARRAY, VECTOR, BYTES)

    @property
    def numbers(self) -> range:
        """Return its columns of the summary."""
        return range(self.first, self.first + self.kind.width)


def file_columns(
    images: TextFile | Table, resolved: Columns, options: ReadingOptions
) -> tuple[FileColumn, ...]:
    """Return the columns of a file in their order."""
    roles = dict.fromkeys(resolved.inputs, INPUT)
    roles |= {getattr(resolved, role): role for role in SIDES if getattr(resolved, role) is not None}
    columns: list[FileColumn] = []
    first = 0
    for index in range(images.width):
        column = _column(images, index, roles.get(index, DROPPED), options)._replace(first=first)
        columns.append(column)
        first += column.kind.width
    return tuple(columns)


def _column(images: TextFile | Table, index: int, role: str, options: ReadingOptions) -> FileColumn:
    if isinstance(images, TextFile):
        return FileColumn(images.names[index] if images.names else str(index), role, Kind(NUMBER), 0)
    name, cells = images.name_of(index), [row[index] for row in images.sample]
    if role == LABEL:
        return FileColumn(name, role, Kind(NUMBER if options.task == REGRESSION else CATEGORY), 0)
    if role in (WEIGHT, VALIDATION):
        return FileColumn(name, role, Kind(NUMBER), 0)
    categorical = matching(options.categorical, images.names, images.width, images.path, "--categorical")
    missing_values = images.how.all_missing_values
    texts = tuple(cell for cell in cells if isinstance(cell, str) and cell not in missing_values)
    try:
        kind = table_columns.kind_of(name, images.types[index], cells, index in categorical, missing_values)
    except DataError as error:
        reason = str(error).removeprefix(f"column {name!r}: ")
        kind = Kind(f"{images.types[index]} " if images.types[index] in WIDE_TYPES else images.types[index])
        return FileColumn(name, role, kind, 0, reason if role == INPUT else "")
    return FileColumn(name, role, kind, 0, texts=texts if kind.kind == CATEGORY else ())
