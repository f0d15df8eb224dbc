"""Open rows for a trained network, to be predicted or to train it on: its columns, found in any source of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from nn.core.errors import DataError
from nn.data import model_columns
from nn.data.columns import Columns, Reference, Roles
from nn.data.encoding import Category, TableEncoder
from nn.data.model_columns import Group
from nn.data.schema import ColumnSchema
from nn.data.tables import schema_for
from nn.models.sequential import Sequential
from nn.spark.input import table_columns
from nn.spark.input.input_files import IMAGES, Files, Source, open_images, open_labels
from nn.spark.input.table_columns import ARRAY, BYTES, CATEGORY, NUMBER, VECTOR, Kind
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import TextFile
from nn.spark.storage.filesystem import Storage


class ScoredFiles(NamedTuple):
    """The files of rows to predict, opened, and the columns that their predictions carry along."""

    files: Files
    kept: tuple[int, ...] = ()

    @property
    def has_labels(self) -> bool:
        """Return whether the rows have labels, so that predictions can be scored."""
        return self.files.labels is not None or self.files.columns.label is not None


def needs_table(model: Sequential, source: Source, kept: Sequence[Reference]) -> bool:
    """Return whether Spark's reader has to read text too: for categories, and for columns that are carried along."""
    encoder = model.encoder
    has_categories = isinstance(encoder, TableEncoder) and any(
        isinstance(c, Category) for c in encoder.columns
    )
    return has_categories or bool(kept) or source.id_column is not None


def open_scored(
    context: Any,
    storage: Storage,
    source: Source,
    partitions: int,
    model: Sequential,
    kept: Sequence[Reference],
    as_csv: frozenset[str],
) -> ScoredFiles:
    """Open rows, and their labels where there are some, and find the columns of the model.

    Raises DataError for columns that are missing or of another kind than in training.
    """
    images = open_images(context, storage, source, partitions, as_csv)
    place = f"{images.argument}: {images.path}"
    roles = source.roles
    names = tuple(images.names)
    numbers = model_columns.by_name(model.encoder.names, names, place)
    resolved = Columns.of(
        roles if numbers is None else roles._replace(features=(), drop=()), names, images.width, images.path
    )
    carried = Columns.of(Roles(features=tuple(kept)), names, images.width, images.path).inputs if kept else ()
    if resolved.id is not None:
        carried = (resolved.id, *(index for index in carried if index != resolved.id))
    if numbers is None:
        numbers = _in_order(images, resolved, carried, model)
        if model_columns.have_names(model.encoder.names):
            images.notes.append(f"{place} has no header: its columns are taken in the order of the model's")
        groups = [
            Group(images.name_of(n), _width(images, n)) if isinstance(images, Table) else Group("")
            for n in numbers
        ]
        model_columns.refuse_other_width(
            model.columns, sum(group.width for group in groups), model.encoder.names, place
        )
    else:
        groups = model_columns.groups_of(model.encoder.names, names)
    schema = tuple(schema_for(model.encoder)) or tuple(ColumnSchema(str(n)) for n in range(model.columns))
    kinds = _kinds(images, numbers, groups, schema) if isinstance(images, Table) else ()
    columns = resolved._replace(inputs=tuple(numbers))
    labels = open_labels(context, storage, source, partitions, images, as_csv)
    return ScoredFiles(Files(images, labels, columns, schema, kinds), carried)


def open_for(
    model: Sequential, context: Any, storage: Storage, source: Source, partitions: int, as_csv: frozenset[str]
) -> Files:
    """Open rows to train on from a model, and find its columns in them. Raises DataError as `open_scored` does."""
    as_csv |= {IMAGES} if needs_table(model, source._replace(id_column=None), ()) else frozenset()
    return open_scored(context, storage, source, partitions, model, (), as_csv).files


def _in_order(
    images: TextFile | Table, resolved: Columns, carried: Sequence[int], model: Sequential
) -> tuple[int, ...]:
    """Return the columns without another use; without those that are carried along where the model takes fewer."""
    inputs = resolved.inputs
    if sum(_width(images, index) for index in inputs) > model.columns:
        inputs = tuple(index for index in inputs if index not in carried)
    return inputs


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


def first_as_csv(
    model: Sequential, source: Source, kept: Sequence[Reference], keeps_faults: bool
) -> frozenset[str]:
    """Return the kinds of arguments that the fast reader of numeric text does not read in any case."""
    return frozenset({IMAGES} if keeps_faults or needs_table(model, source, kept) else ())
