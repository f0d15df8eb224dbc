"""Cut text files into a chosen number of input splits, in the order of their sorted paths, and find a line's file.

Spark's textFile lists a folder in no order and cuts by block size. Here the paths are sorted first and the smallest
split is set, so that the number of splits depends on the bytes alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError
from nn.data import checks, csv, dialect, first_lines, hints
from nn.data.first_lines import FirstLines
from nn.spark.runtime import jvm
from nn.spark.runtime.errors import as_user_error, translate
from nn.spark.storage.filesystem import File, Storage
from nn.spark.storage.hadoop import BYTES_PER_CALL

COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".snappy", ".deflate")
_SMALLEST_SPLIT = "mapreduce.input.fileinputformat.split.minsize"
# More than one thread lists in the order of arrival.
_LISTING_THREADS = "mapreduce.input.fileinputformat.list-status.num-threads"
# Hadoop's reader skips lines of this many bytes, line ends included, without an error; it holds others whole.
_LONGEST_LINE = "mapreduce.input.linerecordreader.line.maxlength"
LONGEST = 64 << 20  # bytes of a line: a row of two million values
_ANY_LENGTH = (1 << 31) - 1
_FIRST_READ = 1 << 16  # bytes, in which a first line mostly ends
# Splits of many files are cut this many times smaller than needed, before neighbors are grouped into partitions.
_FINER = 8


class CellFaults(NamedTuple):
    """How many cells of a table are no values, by column; the faults of two sets of rows add up to those of both."""

    missing_values: np.ndarray  # (c,) int64, of the input columns
    bad: np.ndarray  # (c,) not a number, or none within float32
    rows_with_missing: int = 0  # rows with missing values
    labels: int = 0  # labels that are missing values, no numbers or unknown
    weights: int = 0
    flags: int = 0  # cells of the validation column that are neither true nor false
    records: int = 0  # lines that are no rows

    def __add__(self, other: CellFaults) -> CellFaults:  # type: ignore[override]  # not a tuple's +
        pairs: Any = zip(self, other, strict=True)
        return CellFaults(*(one + another for one, another in pairs))


class InputSplit(NamedTuple):
    """The part of a file that one task reads."""

    path: str
    start: int  # byte offset
    length: int  # in bytes of the stored file


class BadLineError(DataError):
    """A line of an argument is no row. `in_cell`: a reader of quoted fields, text and missing values may read it."""

    def __init__(self, argument: str, message: str, in_cell: bool, brief: str):
        super().__init__(f"{argument}: {message}")
        self.argument, self.in_cell = argument, in_cell
        self.brief = f"{argument}: {brief}"  # without what to do


class SplitStats(NamedTuple):
    """The statistics of one input split."""

    split: int  # its index
    rows: int
    lines: int
    bytes: int  # of the lines, without line ends
    blank: int  # number of the first of the blank lines at its end, 0: none
    fault: csv.LineError | None
    largest: float = 0.0  # largest absolute value
    checksum: int = 0  # CRC-32 of the values
    columns: checks.ColumnSummary | None = None  # None where no row was read, and of labels
    label_fault: csv.LineError | None = None  # the first label that is no class number, though a whole number
    cells: CellFaults | None = None  # of a table


class TextFile:
    """The text of one argument, a file, a folder or a glob: its lines as an RDD, its input splits and its dialect."""

    def __init__(
        self,
        context,
        storage: Storage,
        path: str,
        argument: str,
        partitions: int,
        header: str = dialect.AUTO,
        skip: int = 0,
    ):
        self.path, self.argument = path, argument
        self.files, self.notes = storage.list_files(path, argument)
        self.partitions = partitions
        self.context, self._storage = context, storage
        self._refuse_no_lines()
        self.lines = self._cut(max(1, -(-self.bytes // partitions)))
        if (
            len(self.files) > 1
            and self.lines.getNumPartitions() > partitions
            and not jvm.has_hosts(self.lines)
        ):
            self.lines = self._cut(max(1, self.bytes // (partitions * _FINER)))
        self.splits = self._splits()
        first = self._look(header, skip)
        self.dialect, self.has_header, self.first_row = first.dialect, first.has_header, first.row
        self.names = first.names
        self.notes += [f"{argument}: {self._first_path}, {note}" for note in first.notes]

    @property
    def width(self) -> int:
        """Return the number of values in a row."""
        return self.dialect.width

    @property
    def bytes(self) -> int:
        """Return the size of all its files together."""
        return sum(file.size for file in self.files)

    def _cut(self, smallest: int) -> Any:
        """Return the lines, in splits of `smallest` bytes. A compressed file is one split."""
        packed = [file for file in self.files if file.path.endswith(COMPRESSED)]
        if packed:
            smallest = max(smallest, self.bytes)
            self._advise_part_files(packed)
        # Hadoop's split is the larger of the smallest allowed and min(bytes / wanted, file system block).
        wanted = max(1, -(-self.bytes // smallest))
        paths = ",".join(escaped(file.path) for file in self.files)
        # A skipped line of a compressed file could not be found by the file's size, so none is skipped.
        longest = _ANY_LENGTH if packed else LONGEST + len("\r\n") + 1
        settings = {
            _SMALLEST_SPLIT: str(smallest),
            _LISTING_THREADS: "1",
            _LONGEST_LINE: str(longest),
        }
        try:
            with _temporarily(jvm.hadoop_configuration(self.context), settings):
                lines = self.context.textFile(paths, wanted, use_unicode=False)
                lines.getNumPartitions()  # cuts now: Spark would cut later, without the settings
        except Exception as error:
            what = f"{self.argument}: Spark cannot open {self.path}"
            raise as_user_error(error, DataError, what, self.path, self.argument) from error
        return lines

    @property
    def _first_path(self) -> str:
        """Return the file in which the first line stands."""
        return next((file.path for file in self.files if file.size), self.files[0].path)

    def _refuse_no_lines(self) -> None:
        """Raise DataError for a file without line ends, which Spark would hold in memory whole."""
        path = self._first_path
        try:
            with self._storage.open(path) as read:
                size, part = 0, read(_FIRST_READ)
                while part and not (b"\n" in part or b"\r" in part):
                    size += len(part)
                    if size > LONGEST:
                        expected = f"a row of at most {LONGEST:,} bytes"
                        raise DataError(
                            f"{self.argument}: {path}, line 1: expected {expected}, found a longer one"
                        )
                    part = read(BYTES_PER_CALL)
        except DataError:
            raise
        except Exception:  # executors may be able to read the file; else their job reports the error
            return

    def _advise_part_files(self, packed: list[File]) -> None:
        note = f"{self.argument}: {packed[0].path} is compressed and is one input split, which one core reads"
        if len(packed) < self.partitions:
            note += f"; {self.partitions} part files would be read in parallel"
        self.notes.append(note)

    def _splits(self) -> list[InputSplit]:
        splits = [InputSplit(*split) for split in jvm.input_splits(self.lines)]
        if splits != sorted(splits):
            raise DataError(
                f"{self.argument}: expected the files of {self.path} in sorted order, Spark gave another"
            )
        return splits

    def _look(self, header: str, skip: int) -> FirstLines:
        """Read the first lines. Raises DataError where the first is neither a header nor a row."""
        try:
            lines = jvm.take(self.lines, skip + dialect.LOOKED_AT)
        except Exception as error:
            what = f"{self.argument}: cannot read {self.path}"
            raise as_user_error(error, DataError, what, self.path, self.argument) from error
        if not any(line.strip() for line in lines[skip:]):
            after = f" after the first {skip:,} lines" if skip else ""
            raise DataError(f"{self.argument}: expected rows of numbers, found nothing{after} in {self.path}")
        first = first_lines.inspect(lines, header, skip, self.argument.endswith("LABELS"), self._first_bytes)
        if first.fault is not None:
            raise self._bad_line(self._first_path, first.fault, skip)
        return first

    def _first_bytes(self) -> Any:
        """Return the start of the first file, which shows its format; empty where the driver cannot read it."""
        try:
            with self._storage.open(self._first_path) as read:
                return read(hints.LONGEST_START)
        except Exception:  # executors may be able to read the file
            return b""

    def _bad_line(self, path: str, fault: csv.LineError, skip: int) -> BadLineError:
        message = first_lines.error_message(fault, path, skip, len(self.files) > 1)
        brief = first_lines.error_message(fault._replace(hint=""), path, skip, False)
        return BadLineError(self.argument, message, fault.in_cell, brief)

    def parsed(self, parse: Any) -> Any:
        """Return the RDD of parse(split index, starts_file, lines) over all splits, in at most `partitions` partitions.

        Spark's coalesce groups partitions by the hosts where they are cached or stored, which change. On text that has
        no hosts and is not cached, it groups neighbors by their index alone, so it is called only there.
        """
        starts = [split.start == 0 for split in self.splits]
        elements = self.lines.mapPartitionsWithIndex(lambda index, lines: parse(index, starts[index], lines))
        if len(self.splits) > self.partitions:
            if not jvm.has_hosts(self.lines):
                return elements.coalesce(self.partitions)
            self.notes.append(
                f"{self.argument}: {len(self.splits)} partitions instead of {self.partitions}: "
                "the storage places files on hosts, so they are not grouped"
            )
        return elements

    def collect(self, elements: Any) -> list:
        """Return an RDD's elements on the driver. Raises DataError where the storage or an archive failed."""
        self.context.setJobDescription(f"reading {self.argument}")
        with self.readable():
            return elements.collect()

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Raise a job's error as one line if its cause is known: DataError where the storage or an archive failed."""
        try:
            yield
        except Exception as error:
            known = translate(error, self.path, self.argument)
            if known is None or known is error:
                raise
            raise known from error

    def check(self, all_stats: list[SplitStats]) -> None:
        """Raise DataError for the first bad line in the order of the files."""
        self._refuse_short_first_split(all_stats)
        for stats in all_stats:
            fault = stats.fault or self._missing_value(stats, all_stats)
            if fault:
                raise self.at(all_stats, stats.split, fault)
        self._refuse_skipped_lines(all_stats)
        if not any(stats.rows for stats in all_stats):
            raise DataError(f"{self.argument}: expected rows of numbers, found none in {self.path}")

    def _refuse_short_first_split(self, all_stats: list[SplitStats]) -> None:
        """Raise DataError where the lines to skip fill the first split of a file that has more splits.

        The header or the first row would then be in a split that is read as rows alone.
        """
        counts = Counter(split.path for split in self.splits)
        for stats in all_stats:
            path, start, _ = self.splits[stats.split]
            if start == 0 and stats.lines <= self.dialect.skip and counts[path] > 1:
                raise DataError(
                    f"--skip-lines: expected fewer than the {stats.lines:,} lines of the first of {counts[path]:,} "
                    f"input splits of {path}, found {self.dialect.skip:,}; take fewer --partitions"
                )

    def _missing_value(self, stats: SplitStats, all_stats: list[SplitStats]) -> csv.LineError | None:
        """Return the error for blank lines at a split's end where more rows of the same file follow, else None."""
        path = self.splits[stats.split].path
        later = (c for c in all_stats if c.split > stats.split and self.splits[c.split].path == path)
        if stats.blank and any(c.rows or c.fault for c in later):
            return csv.LineError(stats.blank, f"a row of {self.dialect.width} values", "an empty line")
        return None

    def _refuse_skipped_lines(self, all_stats: list[SplitStats]) -> None:
        """Raise DataError where a file has more bytes than its lines: Spark skips lines that are too long."""
        unseen: Counter[str] = Counter()
        for split in self.splits:
            unseen[split.path] += split.length
        for stats in all_stats:
            unseen[self.splits[stats.split].path] -= stats.bytes + len("\r\n") * stats.lines
        for path, count in unseen.items():
            if count > len(csv.MARK) and not path.endswith(COMPRESSED):
                expected = f"rows of at most {LONGEST:,} bytes"
                raise DataError(f"{self.argument}: {path}: expected {expected}, found a longer line")

    def at(self, all_stats: list[SplitStats], split: int, fault: csv.LineError) -> BadLineError:
        """Return the error for a bad line, with its file and its line in that file."""
        path = self.splits[split].path
        before = (c for c in all_stats if c.split < split and self.splits[c.split].path == path)
        line = fault.line + sum(c.lines for c in before)
        return self._bad_line(path, fault._replace(line=line), self.dialect.skip)


@contextmanager
def _temporarily(configuration: Any, settings: dict[str, str]) -> Iterator[None]:
    """Change settings of a Hadoop configuration inside `with`, and restore them afterwards."""
    before = {key: configuration.get(key) for key in settings}
    for key, value in settings.items():
        configuration.set(key, value)
    try:
        yield
    finally:
        for key, old in before.items():
            if old is None:
                configuration.unset(key)
            else:
                configuration.set(key, old)


def escaped(path: str) -> str:
    """Return a path in which no character is read as a glob."""
    return "".join("\\" + letter if letter in "*?[]{}\\" else letter for letter in path)
