"""Cut text files into pieces of a chosen number, in the order of their sorted paths, and place a line in its file.

Spark's textFile alone lists a folder in no order and cuts by block size. Here the paths are sorted first and the
smallest allowed split is set, so that the number of pieces is ours and depends on nothing but the bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from nn.core.errors import DataError
from nn.data import checks, csv, dialect, first_lines, hints
from nn.data.first_lines import FirstLines
from nn.spark.runtime.errors import as_user_error, storage_failure, translated
from nn.spark.storage.filesystem import SLICE, File, Storage

COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".snappy", ".deflate")
_SMALLEST_SPLIT = "mapreduce.input.fileinputformat.split.minsize"
# More than one thread lists in the order of arrival.
_LISTING_THREADS = "mapreduce.input.fileinputformat.list-status.num-threads"
# Hadoop's reader leaves out lines of so many bytes, ends included, without a word; any other line it holds whole.
_LONGEST_LINE = "mapreduce.input.linerecordreader.line.maxlength"
LONGEST = 64 << 20  # bytes of a line: a row of two million values
_ANY_LENGTH = (1 << 31) - 1
_FIRST_LOOK = 1 << 16  # bytes in which a first line mostly ends
# How much smaller than wanted the splits of many files are cut before neighbours share a partition.
_FINER = 8


class InputSplit(NamedTuple):
    """The part of a file that is read in one go."""

    path: str
    start: int  # byte offset
    length: int  # in bytes; of the file as it is stored


class SplitStats(NamedTuple):
    """What one piece turned out to hold."""

    piece: int
    rows: int
    lines: int
    bytes: int  # of the lines, without what ends them
    blank: int  # line of the first of the blank lines at its end, 0: none
    fault: csv.LineError | None
    largest: float = 0.0  # largest absolute value
    checksum: int = 0  # CRC-32 of the values
    columns: checks.ColumnSummary | None = None  # None where no row was read, and of labels


class TextFile:
    """One argument's text, be it a file, a folder or a glob: its lines as an RDD, its pieces and its layout."""

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
        if len(self.files) > 1 and self.lines.getNumPartitions() > partitions and self._has_no_hosts():
            self.lines = self._cut(max(1, self.bytes // (partitions * _FINER)))
        self.pieces = self._pieces()
        first = self._look(header, skip)
        self.dialect, self.has_header, self.first_row = first.dialect, first.has_header, first.row
        self.notes += [f"{argument}: {self._first_path}, {note}" for note in first.notes]

    @property
    def bytes(self) -> int:
        """Of all its files together."""
        return sum(file.size for file in self.files)

    def _cut(self, smallest: int) -> Any:
        """The lines, in splits of `smallest` bytes; a compressed file is one split."""
        packed = [file for file in self.files if file.path.endswith(COMPRESSED)]
        if packed:
            smallest = max(smallest, self.bytes)
            self._advise_part_files(packed)
        # Hadoop's split is the larger of the smallest allowed and min(bytes / wanted, file system block).
        wanted = max(1, -(-self.bytes // smallest))
        paths = ",".join(_escaped(file.path) for file in self.files)
        # What is left out of a packed file could not be told from its size: nothing is.
        longest = _ANY_LENGTH if packed else LONGEST + len("\r\n") + 1
        settings = {
            _SMALLEST_SPLIT: str(smallest),
            _LISTING_THREADS: "1",
            _LONGEST_LINE: str(longest),
        }
        try:
            with _set_for_now(self.context._jsc.hadoopConfiguration(), settings):
                lines = self.context.textFile(paths, wanted, use_unicode=False)
                lines.getNumPartitions()  # cuts now: Spark would do it later, when the settings are gone
        except Exception as error:
            raise as_user_error(error, DataError, f"{self.argument}: Spark cannot open {self.path}") from None
        return lines

    @property
    def _first_path(self) -> str:
        """Return the file in which the first line stands."""
        return next((file.path for file in self.files if file.size), self.files[0].path)

    def _refuse_no_lines(self) -> None:
        """Raise DataError for a file that is no text of lines, one of which Spark would hold whole."""
        path = self._first_path
        try:
            with self._storage.open(path) as read:
                seen, part = 0, read(_FIRST_LOOK)
                while part and not (b"\n" in part or b"\r" in part):
                    seen += len(part)
                    if seen > LONGEST:
                        expected = f"a row of at most {LONGEST:,} bytes"
                        raise DataError(
                            f"{self.argument}: {path}, line 1: expected {expected}, found a longer one"
                        )
                    part = read(SLICE)
        except DataError:
            raise
        except Exception:  # the executors may read what the driver cannot, and say what is wrong if not
            return

    def _advise_part_files(self, packed: list[File]) -> None:
        note = f"{self.argument}: {packed[0].path} is compressed and is read as one piece by one core"
        if len(packed) < self.partitions:
            note += f"; {self.partitions} part files would be read side by side"
        self.notes.append(note)

    def _has_no_hosts(self) -> bool:
        """Whether the storage names no host for its bytes (local disks, object stores), as HDFS does."""
        lines = self.lines._jrdd.rdd()
        return lines.preferredLocations(lines.partitions()[0]).isEmpty()

    def _pieces(self) -> list[InputSplit]:
        splits = [partition.inputSplit().value() for partition in self.lines._jrdd.rdd().partitions()]
        pieces = [
            InputSplit(split.getPath().toString(), split.getStart(), split.getLength()) for split in splits
        ]
        if pieces != sorted(pieces):
            raise DataError(
                f"{self.argument}: expected the files of {self.path} in sorted order, Spark gave another"
            )
        return pieces

    def _look(self, header: str, skip: int) -> FirstLines:
        """Look at the first lines; DataError where the first is neither a header nor a row."""
        try:
            lines = list(self.lines._jrdd.take(skip + dialect.LOOKED_AT))
        except Exception as error:
            raise as_user_error(error, DataError, f"{self.argument}: cannot read {self.path}") from None
        if not any(line.strip() for line in lines[skip:]):
            after = f" after the first {skip:,} lines" if skip else ""
            raise DataError(f"{self.argument}: expected rows of numbers, found nothing{after} in {self.path}")
        found = first_lines.inspect(lines, header, skip, self.argument.endswith("LABELS"), self._first_bytes)
        if found.fault is not None:
            raise DataError(self._placed(self._first_path, found.fault, skip))
        return found

    def _first_bytes(self) -> Any:
        """Return the bytes by which the format of the first file is known; none where they cannot be read here."""
        try:
            with self._storage.open(self._first_path) as read:
                return read(hints.LONGEST_START)
        except Exception:  # the executors may read what the driver cannot
            return b""

    def _placed(self, path: str, fault: csv.LineError, skip: int) -> str:
        return f"{self.argument}: {first_lines.error_message(fault, path, skip, len(self.files) > 1)}"

    def parsed(self, parse: Any) -> Any:
        """An RDD of parse(piece number, starts_file, lines) over all pieces, in `partitions` partitions at most.

        Spark's coalesce looks at where partitions are cached or stored, which changes; it is called only on text that
        is neither, and then it groups neighbours by their number alone.
        """
        starts = [piece.start == 0 for piece in self.pieces]
        elements = self.lines.mapPartitionsWithIndex(lambda index, lines: parse(index, starts[index], lines))
        if len(self.pieces) > self.partitions:
            if self._has_no_hosts():
                return elements.coalesce(self.partitions)
            self.notes.append(
                f"{self.argument}: {len(self.pieces)} pieces instead of {self.partitions}: "
                "the storage places files on hosts, so they are not grouped"
            )
        return elements

    def collect(self, elements: Any) -> list:
        """The elements on the driver; DataError where the storage or an archive gave no bytes."""
        self.context.setJobDescription(f"reading {self.argument}")
        with self.readable():
            return elements.collect()

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Tell bytes that the storage or an archive did not give as a DataError."""
        try:
            yield
        except Exception as error:
            failure = storage_failure(error)
            if failure is None or translated(error) is not None:
                raise  # a fault of the environment is the caller's, not that of the data
            raise DataError(f"{self.argument}: cannot read {self.path}: {failure}") from None

    def check(self, censuses: list[SplitStats]) -> None:
        """Raise DataError for the first bad line in the order of the files."""
        self._refuse_short_first_piece(censuses)
        for census in censuses:
            fault = census.fault or self._gap(census, censuses)
            if fault:
                raise DataError(self.at(censuses, census.piece, fault))
        self._refuse_left_out(censuses)
        if not any(census.rows for census in censuses):
            raise DataError(f"{self.argument}: expected rows of numbers, found none in {self.path}")

    def _refuse_short_first_piece(self, censuses: list[SplitStats]) -> None:
        """Raise DataError where the lines to skip are all of the first piece of a file that has others.

        The header or the first row would then stand in a piece that is read as rows alone.
        """
        pieces = Counter(piece.path for piece in self.pieces)
        for census in censuses:
            path, start, _ = self.pieces[census.piece]
            if start == 0 and census.lines <= self.dialect.skip and pieces[path] > 1:
                raise DataError(
                    f"--skip-lines: expected fewer than the {census.lines:,} lines of the first of {pieces[path]:,} "
                    f"pieces of {path}, found {self.dialect.skip:,}; take fewer --partitions"
                )

    def _gap(self, census: SplitStats, censuses: list[SplitStats]) -> csv.LineError | None:
        """Blank lines that end a piece are a fault when more rows of the same file follow."""
        path = self.pieces[census.piece].path
        later = (c for c in censuses if c.piece > census.piece and self.pieces[c.piece].path == path)
        if census.blank and any(c.rows or c.fault for c in later):
            return csv.LineError(census.blank, f"a row of {self.dialect.width} values", "an empty line")
        return None

    def _refuse_left_out(self, censuses: list[SplitStats]) -> None:
        """Raise DataError where a file has bytes that no line brought: Spark left out one that is too long."""
        unseen: Counter[str] = Counter()
        for piece in self.pieces:
            unseen[piece.path] += piece.length
        for census in censuses:
            unseen[self.pieces[census.piece].path] -= census.bytes + len("\r\n") * census.lines
        for path, count in unseen.items():
            if count > len(csv.MARK) and not path.endswith(COMPRESSED):
                expected = f"rows of at most {LONGEST:,} bytes"
                raise DataError(f"{self.argument}: {path}: expected {expected}, found a longer line")

    def at(self, censuses: list[SplitStats], piece: int, fault: csv.LineError) -> str:
        """Say a fault with its file and its line in that file."""
        path = self.pieces[piece].path
        before = (c for c in censuses if c.piece < piece and self.pieces[c.piece].path == path)
        line = fault.line + sum(c.lines for c in before)
        return self._placed(path, fault._replace(line=line), self.dialect.skip)


@contextmanager
def _set_for_now(configuration, settings: dict[str, str]) -> Iterator[None]:
    """Settings of a Hadoop configuration that are taken back on leaving."""
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


def _escaped(path: str) -> str:
    """A path in which no character means a pattern."""
    return "".join("\\" + letter if letter in "*?[]{}\\" else letter for letter in path)
