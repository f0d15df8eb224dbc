"""The data of a run as --check reads them: the ends of text, and one pass over the training rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from nn.cli.options import Options
from nn.cli.preprocessing import Preprocessing, preprocessing_of
from nn.core import format
from nn.data import csv
from nn.models.sequential import Sequential
from nn.spark import preflight
from nn.spark.input import describing, reader
from nn.spark.input.describing import Description
from nn.spark.input.input_files import Files, read_as_needed
from nn.spark.input.reading_options import ReadingOptions
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import BadLineError
from nn.spark.preflight import FirstAndLast
from nn.spark.storage.filesystem import Storage


class CheckedData(NamedTuple):
    """The data of a run, as far as small jobs and one pass over the training rows show them."""

    train: Files
    test: Files
    ends: list[FirstAndLast]  # of all text of numbers
    description: Description | None = None  # None where an end is faulty
    preprocessing: Preprocessing | None = None
    notes: tuple[str, ...] = ()  # for the user, a line each

    @property
    def sets(self) -> list[Files]:
        """Return the training set and the test set, if there is one."""
        return [self.train] if self.test is self.train else [self.train, self.test]

    @property
    def tables(self) -> list[Table]:
        """Return the files that are no text of numbers."""
        files = [file for files in self.sets for file in (files.images, files.labels)]
        return [file for file in files if isinstance(file, Table)]

    @property
    def faults(self) -> list[str]:
        """Return a line for each fault that would end a run."""
        found = data_faults(self.ends)
        if self.preprocessing is not None:
            argument = self.train.images.argument
            found += [f"{argument}: {fault}" for fault in self.preprocessing.faults]
        if self.description is not None and self.description.summary.records:
            lines = format.counted(self.description.summary.records, "line")
            found.append(
                f"{self.description.argument}: {lines} without a row of {len(self.description.columns)} cells"
            )
        return found


def read(context: Any, storage: Storage, options: Options, model: Sequential | None = None) -> CheckedData:
    """Read the ends of both sets, and all training rows, for the columns of the model to start from, if there is one.

    Raises DataError if they do not fit each other.
    """
    source, _ = options.sources()
    reading = options.reading_for(model)

    def read_once(as_csv: frozenset[str]) -> CheckedData:
        data = _opened(context, storage, options, reading, as_csv)
        for ends in data.ends:
            refuse_cells(ends, as_csv)
        if data_faults(data.ends):
            return data
        files = data.train
        found = describing.describe_files(files.images, files.labels, files.columns, reading)
        recipe = dataclasses.replace(options.recipe, missing=reading.missing)
        return data._replace(description=found, preprocessing=preprocessing_of(found, recipe))

    with options.get_data_hint():
        as_csv = describing.as_csv_by(reading)
        data, notes = read_as_needed(source.format, read_once, as_csv)
    return data._replace(notes=tuple(notes))


def _opened(
    context: Any, storage: Storage, options: Options, reading: ReadingOptions, as_csv: frozenset[str]
) -> CheckedData:
    """Open the files of both sets and read the ends of text. Raises DataError if the sets do not fit each other."""
    source, test_source = options.sources()
    train, test = reader.open_both(
        context, storage, source, test_source, options.partition_count, reading, as_csv
    )
    test = test or train
    test.refuse_other_width(train)
    sets = [train] if test_source is None else [train, test]
    ends = [text for files in sets for text in preflight.first_and_last(files, options.recipe.task)]
    return CheckedData(train, test, ends)


def refuse_cells(ends: FirstAndLast, as_csv: frozenset[str]) -> None:
    """Raise BadLineError for a cell that is no number, where Spark's reader may read it."""
    for block, file in zip((ends.first, ends.last), ends.files, strict=True):
        if isinstance(block, csv.LineError) and block.in_cell:
            place = f"{file}: expected {block.expected}, found {block.found}"
            if ends.argument.partition("_")[2] not in as_csv:
                raise BadLineError(ends.argument, place, True, place)


def data_faults(ends: Sequence[FirstAndLast]) -> list[str]:
    """Return a line for each fault in the first and last blocks of the data, without duplicates."""
    problems = [
        f"{text.argument}: {file}, line {block.line}{within}: {block}"
        for text in ends
        for block, file, within in zip((text.first, text.last), text.files, ("", _within(text)), strict=True)
        if isinstance(block, csv.LineError)
    ]
    return list(dict.fromkeys(problems))


def _within(ends: FirstAndLast) -> str:
    """Return the words that follow a line number of the last block, which is counted in the file's last lines."""
    return f" of the last {ends.tail:,}" if ends.tail else ""
