"""Read the rows that a trained network is to predict into cached blocks, and check them before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from nn.data.block import Block
from nn.data.decoding import ClassLabels
from nn.data.encoding import TableEncoder
from nn.data.labels import CLASSIFICATION, REGRESSION, LabelReader
from nn.data.schema import ColumnSchema
from nn.models.prediction_columns import usable_rows
from nn.models.sequential import Sequential
from nn.spark.input.input_files import read_as_needed
from nn.spark.input.labels import Labels, read_labels
from nn.spark.input.parsing import CachedRows, to_block
from nn.spark.input.scored_files import ScoredFiles, Wanted, open_scored
from nn.spark.input.table_categories import refuse_unknown
from nn.spark.input.table_layout import KEPT, Layout
from nn.spark.input.table_reading import read_rows
from nn.spark.input.table_source import Table
from nn.spark.input.text_reading import read_images
from nn.spark.runtime.broadcast import broadcast
from nn.spark.storage.filesystem import Storage


class ScoredRows(NamedTuple):
    """Rows to predict, cached on the cluster."""

    scored: ScoredFiles
    rows: CachedRows
    labels: Labels | None
    notes: tuple[str, ...]

    @property
    def is_ordered(self) -> bool:
        """Return whether the partitions follow each other as the rows do."""
        partitions = [partition for partition, _ in self.rows.placed]
        splits = [stats.split for stats in self.rows.all_stats]
        return partitions == sorted(partitions) and splits == sorted(splits)

    @property
    def parts(self) -> int:
        """Return how many part files hold the rows at least: one for each partition with rows, if rows stay there."""
        return (
            len({partition for partition, stats in self.rows.placed if stats.rows}) if self.is_ordered else 1
        )

    def blocks(self, model: Sequential) -> Any:
        """Return the RDD of the blocks of labeled rows that the model can predict."""
        assert self.labels is not None
        handle = broadcast(self.rows.cached.context, self.labels.values) if self.labels.apart else None
        blocks = self.rows.cached.flatMap(partial(to_block, self.rows.firsts, handle, self.labels.in_blocks))
        return blocks.flatMap(partial(_usable_block, model))


def read_scored(context: Any, storage: Storage, wanted: Wanted, partitions: int) -> ScoredRows:
    """Read all rows and cache them.

    Raises DataError for the first row that the model cannot predict, unless such rows are wanted too.
    """

    def read(as_csv: frozenset[str]) -> ScoredRows:
        scored = open_scored(context, storage, wanted, partitions, as_csv)
        return _read(scored, wanted.model, wanted.keeps_faults)

    found, notes = read_as_needed(wanted.source.format, read, wanted.as_csv)
    return found._replace(notes=(*notes, *found.notes))


def _read(scored: ScoredFiles, model: Sequential, keeps_faults: bool) -> ScoredRows:
    files = scored.files
    label_reader = label_reader_of(model)
    images = files.images
    if isinstance(images, Table):
        missing, unfilled = (KEPT, frozenset()) if keeps_faults else ("mean", _unfilled(model, files.schema))
        layout = Layout(
            images, files.columns, files.kinds, files.schema, label_reader, missing, scored.kept, unfilled
        )
        if not keeps_faults:
            refuse_unknown(layout, "--bad-rows null leaves the predictions of such rows empty")
        rows = read_rows(layout)
    else:
        rows = read_images(images, files, label_reader)
    labels = read_labels(files, rows, label_reader) if scored.has_labels else None
    notes = (*images.notes, *(files.labels.notes if files.labels else ()))
    return ScoredRows(scored, rows, labels, notes)


def _unfilled(model: Sequential, schema: Sequence[ColumnSchema]) -> frozenset[str]:
    """Return the names of the columns whose missing values the model does not fill."""
    if isinstance(model.encoder, TableEncoder):
        return frozenset(column.name for column in model.encoder.columns if not column.fills)
    return frozenset(column.name for column in schema)


def label_reader_of(model: Sequential) -> LabelReader:
    """Return how the labels of rows for a model are read: as its classes, or as targets."""
    if not isinstance(model.decoder, ClassLabels):
        return LabelReader(REGRESSION)
    return LabelReader(CLASSIFICATION, model.classes, model.decoder.labels)


def _usable_block(model: Sequential, block: Block) -> list[Block]:
    usable = usable_rows(model, block.inputs)
    if usable.all():
        return [block]
    if not usable.any():
        return []
    return [Block(block.rows[usable], block.inputs[usable], block.labels[usable], None)]
