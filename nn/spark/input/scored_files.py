"""Open rows for a trained network, to be predicted or to train it on: its columns, found in any source of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from nn.core.errors import DataError
from nn.data import model_columns
from nn.data.columns import Reference
from nn.data.encoding import Category, TableEncoder
from nn.data.model_columns import Group, Offered
from nn.data.schema import ColumnSchema
from nn.data.tables import schema_for
from nn.models.sequential import Sequential
from nn.spark.input import table_columns
from nn.spark.input.input_files import (
    IMAGES,
    Files,
    Source,
    open_images,
    open_labels,
    positions_in_json,
)
from nn.spark.input.table_columns import ARRAY, BYTES, CATEGORY, NUMBER, VECTOR, Kind
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import TextFile
from nn.spark.storage.filesystem import Storage


class Wanted(NamedTuple):
    """The rows that a model is to predict, and what of them."""

    source: Source
    model: Sequential
    kept: tuple[Reference, ...] = ()  # columns that predictions carry along
    keeps_faults: bool = False  # whether rows that the model cannot predict stay

    @property
    def as_csv(self) -> frozenset[str]:
        """Return the kinds of arguments that the fast reader of numeric text does not read in any case.

        It reads neither categories nor columns that are carried along.
        """
        encoder = self.model.encoder
        columns = encoder.columns if isinstance(encoder, TableEncoder) else ()
        has_categories = any(isinstance(column, Category) for column in columns)
        has_others = bool(self.kept) or self.source.id_column is not None
        return frozenset({IMAGES} if self.keeps_faults or has_categories or has_others else ())


class ScoredFiles(NamedTuple):
    """The files of rows to predict, opened, and the columns that their predictions carry along."""

    files: Files
    kept: tuple[int, ...] = ()

    @property
    def has_labels(self) -> bool:
        """Return whether the rows have labels, so that predictions can be scored."""
        return self.files.labels is not None or self.files.columns.label is not None


def open_scored(
    context: Any, storage: Storage, wanted: Wanted, partitions: int, as_csv: frozenset[str]
) -> ScoredFiles:
    """Open rows, and their labels where there are some, and find the columns of the model.

    Raises DataError for columns that are missing or of another kind than in training.
    """
    source, model = wanted.source, wanted.model
    images = open_images(context, storage, source, partitions, as_csv)
    offered = Offered(images.argument, images.path, images.names, _widths(images))
    found = model_columns.find(model.encoder.names, model.columns, offered, source.roles, wanted.kept)
    images.notes += found.notes
    images.notes += positions_in_json(images, source.roles) if isinstance(images, Table) else []
    schema = tuple(schema_for(model.encoder)) or tuple(ColumnSchema(str(n)) for n in range(model.columns))
    kinds = _kinds(images, found.columns.inputs, found.groups, schema) if isinstance(images, Table) else ()
    labels = open_labels(context, storage, source, partitions, images, as_csv)
    return ScoredFiles(Files(images, labels, found.columns, schema, kinds), found.kept)


def open_for(
    model: Sequential, context: Any, storage: Storage, source: Source, partitions: int, as_csv: frozenset[str]
) -> Files:
    """Open rows to train on from a model, and find its columns in them. Raises DataError as `open_scored` does."""
    as_csv |= Wanted(source._replace(id_column=None), model).as_csv
    return open_scored(context, storage, Wanted(source, model), partitions, as_csv).files


def _widths(images: TextFile | Table) -> list[int]:
    return [_width(images, index) for index in range(images.width)]


def _width(images: TextFile | Table, index: int) -> int:
    """Return the number of inputs of a column: the values of an array, a vector or bytes, else one."""
    if isinstance(images, TextFile) or images.types[index] not in (ARRAY, VECTOR, "binary"):
        return 1
    return next((len(row[index]) for row in images.sample if row[index] is not None), 1)


def _kinds(
    table: Table, numbers: Sequence[int], groups: Sequence[Group], schema: Sequence[ColumnSchema]
) -> tuple[Kind, ...]:
    """Return the kind of each column of inputs. Raises DataError where it is none that the model takes."""
    kinds, first = [], 0
    for index, group in zip(numbers, groups, strict=True):
        own = schema[first]
        first += group.width
        type_name, width = table.types[index], _width(table, index)
        is_wide = type_name in (ARRAY, VECTOR, "binary")
        is_read = is_wide or type_name in (
            *table_columns.NUMBER_TYPES,
            table_columns.STRING,
            table_columns.TEXT,
        )
        if not is_read or (is_wide and own.values is not None) or width != group.width:
            expected = "a category" if own.values is not None else "a number"
            if group.width > 1:
                expected = f"{group.width:,} numbers"
            found = f"{type_name} of {width:,} values" if is_wide else type_name
            raise DataError(
                f"{table.argument}: {table.path}: column {table.name_of(index)!r}: expected {expected} a row, as the "
                f"model takes, found {found}"
            )
        if is_wide:
            kinds.append(Kind(BYTES if type_name == "binary" else type_name, width))
        else:
            kinds.append(Kind(NUMBER if own.values is None else CATEGORY))
    return tuple(kinds)
