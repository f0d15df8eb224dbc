"""Open a table with Spark: Parquet, ORC, JSON, Avro, LibSVM, CSV with quotes and strings, or a table of the catalog.

Each partition is one piece of one file, so that the order of the rows, by path and place in the file, does not depend
on the cluster.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from nn.core.errors import DataError, PlatformError
from nn.data import dialect, quoted_text
from nn.data.quoted_text import MISSING_VALUES, QuotedText
from nn.spark.input import formats, table_columns
from nn.spark.input.text_source import LONGEST, escaped
from nn.spark.runtime import jvm
from nn.spark.runtime.errors import is_from_java, is_of_network, reason_of, translate
from nn.spark.storage.filesystem import Storage

RECORD = "record"  # the column of the frame with the lines that are no rows
UNREADABLE = "_unreadable_record"  # what Spark's readers call it: no name that a column would have
SAMPLE = 1000  # rows by which the kinds of columns are decided
LARGEST_PIECE = 128 << 20  # bytes, of a table of the catalog, whose size Spark may not know
# In Spark's errors of files whose end is missing: those of Spark 4, and of 3.5.
FOOTER = ("CANNOT_READ_FILE_FOOTER", "Could not read footer")
NANOSECONDS = (
    "write times in microseconds (pandas: to_parquet(..., coerce_timestamps='us')), "
    "or leave them out of the file"
)
FIRST_BYTES = 1 << 20  # of a file, in which the first lines are looked for
BLANKS = "".join(filter(str.isspace, map(chr, range(0x3001))))  # what str.strip takes off
SETTINGS = {
    "spark.sql.ansi.enabled": "false",  # a text that is no number becomes null, not an error
    "spark.sql.csv.parser.columnPruning.enabled": "false",  # a row of another width is found whatever is selected
    "spark.sql.execution.arrow.pyspark.fallback.enabled": "false",
}


class TableFormat(NamedTuple):
    """How a table is read."""

    format: str = formats.CSV  # one of formats.FORMATS, but AUTO and TEXT
    header: str = dialect.AUTO
    skip_lines: int = 0
    options: tuple[str, ...] = ()  # key=value each, for Spark's reader
    missing_values: tuple[str, ...] = ()  # words beside MISSING_VALUES

    @property
    def all_missing_values(self) -> tuple[str, ...]:
        """Return all words for missing values."""
        return (*MISSING_VALUES, *self.missing_values)

    @property
    def reader_options(self) -> dict[str, str]:
        """Return the options for Spark's reader."""
        return dict(option.split("=", 1) for option in self.options)

    @property
    def has_types(self) -> bool:
        """Return whether strings of the format are never numbers."""
        return self.format not in (formats.CSV, formats.JSON)


class Table:
    """A table of one argument: its rows as a DataFrame with the columns c0, c1, ..., their names and their types."""

    def __init__(
        self,
        context: Any,
        storage: Storage,
        path: str,
        argument: str,
        partitions: int,
        how: TableFormat,
        train: Table | None = None,
    ):
        from pyspark.sql import SparkSession

        self.context, self.path, self.argument, self.how = context, path, argument, how
        self.partitions, self._storage = partitions, storage
        self.notes: list[str] = []
        self._session = SparkSession.builder.getOrCreate().newSession()  # settings of its own
        self._train_width = None if train is None else train.vector_width
        with self.readable():
            self._open()
            self.splits = self._splits()

    def _open(self) -> None:
        """Set the frame, the names and the types."""
        is_file = self.how.format != formats.TABLE
        self.files, base = self._storage.list_tree(self.path, self.argument) if is_file else ([], "")
        self.bytes = sum(file.size for file in self.files)
        if not is_file:
            self.bytes = min(
                LARGEST_PIECE * self.partitions, jvm.estimated_bytes(self._session.table(self.path))
            )
        piece = str(max(1, -(-self.bytes // self.partitions)))
        files = {"spark.sql.files.maxPartitionBytes": piece, "spark.sql.files.openCostInBytes": piece}
        shuffles = {"spark.sql.shuffle.partitions": str(self.partitions)}
        for key, value in (SETTINGS | files | shuffles).items():
            self._session.conf.set(key, value)
        paths = [escaped(file.path) for file in self.files]
        self._base = {"basePath": base} if base else {}
        self._text = self._quoted_text() if self.how.format == formats.CSV else None
        try:
            self._schema = self._schema_of(paths)
            whole = self._load(paths)
        except Exception as error:
            if "COLUMN_ALREADY_EXISTS" not in str(error):
                raise
            # Columns x and X. Elsewhere case is ignored: files of one table may spell a name differently.
            self._session.conf.set("spark.sql.caseSensitive", "true")
            self._schema = self._schema_of(paths)
            whole = self._load(paths)
        self.has_record = self._schema is not None
        fields = [field for field in whole.schema.fields if not self.has_record or field.name != UNREADABLE]
        self.names = self._names([field.name for field in fields])
        self.width = len(fields)
        self.types = tuple(  # names of folders are strings where not all of them are numbers
            table_columns.type_of(field.dataType, self.how.has_types or index in self.folder_columns)
            for index, field in enumerate(fields)
        )
        self.frame = self._with_numbers(whole)
        first = [escaped(file.path) for file in self.files if file.size][:1]
        # With the schema of all files: the first one may lack a column, or the values that decide on a type.
        has_more = len(self.files) > 1
        sample = self._with_numbers(self._load(first, whole.schema)).take(SAMPLE) if has_more else None
        self.sample = [tuple(row)[: self.width] for row in sample or self.frame.take(SAMPLE)]
        if not self.sample:
            raise DataError(f"{self.argument}: expected rows, found none in {self.path}")

    @functools.cached_property
    def _first_lines(self) -> list[str]:
        """Return the first lines of the first file, as far as the driver can read it."""
        file = next((file for file in self.files if file.size), self.files[0])
        start, ends, part = b"", 0, b"\n"
        fewest = self.how.skip_lines + 2  # lines: what they are is told from two
        with self._storage.open(file.path) as read:
            while part and len(start) <= LONGEST and (len(start) < FIRST_BYTES or ends < fewest):
                part = read(FIRST_BYTES)
                start += part
                ends = start.count(b"\n") or start.count(b"\r")
        if part and not ends:
            expected = f"a row of at most {LONGEST:,} bytes"
            raise DataError(f"{self.argument}: {file.path}, line 1: expected {expected}, found a longer one")
        lines = quoted_text.lines_of(_decoded(start, self.how.reader_options))
        return (lines[:-1] if part else lines)[: self.how.skip_lines + quoted_text.LOOKED_AT]

    def _quoted_text(self) -> QuotedText:
        options = self.how.reader_options
        lines = list(filter(self._is_numbered, self._first_lines[self.how.skip_lines :]))
        if not lines:
            raise DataError(f"{self.argument}: expected rows, found nothing in {self.path}")
        header = {"true": dialect.YES, "false": dialect.NO}.get(options.get("header", ""), self.how.header)
        separator = options.get("sep", options.get("delimiter", ""))
        is_labels, quote = self.argument.endswith("LABELS"), options.get("quote", "")
        text = quoted_text.inspect(lines, header, is_labels, separator, quote, self.how.all_missing_values)
        if text.fault:
            raise DataError(f"{self.argument}: {self.path}: {text.fault}")
        return text

    def _options(self) -> dict[str, str]:
        """Return the options of Spark's reader."""
        options = dict(self._base)
        if self._text is not None:
            text = self._text
            trim = {"ignoreLeadingWhiteSpace": "true", "ignoreTrailingWhiteSpace": "true"}
            options |= {"sep": text.separator, "quote": text.quote, "escape": text.quote, **trim}
            options |= {"maxColumns": str(max(20480, text.width + 2))}
        if self.how.format == formats.LIBSVM and self._train_width is not None:
            options["numFeatures"] = str(self._train_width)
        options |= self.how.reader_options
        if self._text is not None:
            options["header"] = "false"  # headers are left out below, wherever a file has one
        if self.how.format in (formats.CSV, formats.JSON):
            options |= {"columnNameOfCorruptRecord": UNREADABLE, "mode": "PERMISSIVE"}
        return options

    def _schema_of(self, paths: Sequence[str]) -> Any:
        """Return the schema to read with, or None: that of the files."""
        from pyspark.sql.types import StringType, StructField, StructType

        record = StructField(UNREADABLE, StringType())
        if self._text is not None:
            columns = [StructField(f"c{index}", StringType()) for index in range(self._text.width)]
            return StructType([*columns, record])
        if self.how.format == formats.JSON:
            found = self._session.read.options(**self._options()).json(list(paths)).schema
            fields = [field for field in found.fields if field.name != UNREADABLE]
            if not fields:
                raise DataError(
                    f"{self.argument}: expected JSON lines, an object in each line, found none in {self.path}"
                )
            return StructType([*fields, record])
        return None

    def _load(self, paths: Sequence[str], schema: Any = None) -> Any:
        if self.how.format == formats.TABLE:
            return self._session.table(self.path)
        reader = self._session.read.format(self.how.format).options(**self._options())
        schema = schema or self._schema
        return (reader if schema is None else reader.schema(schema)).load(list(paths))

    def _names(self, names: list[str]) -> tuple[str, ...]:
        """Return the names of the columns; none for CSV without a header, whose folders have no names either."""
        if self._text is None:
            return tuple(names)
        own = self._text.names
        extra = names[self._text.width :]
        if not own:
            return (*map(str, range(self._text.width)), *extra) if extra else ()
        return (*own, *extra)

    def _with_numbers(self, whole: Any) -> Any:
        """Return the frame with the columns c0, c1, ..., without skipped lines and headers."""
        from pyspark.sql import functions as sql

        columns = enumerate(whole.columns)
        order = [index for index, name in columns if not self.has_record or name != UNREADABLE]
        names = {index: self.id_of(number) for number, index in enumerate(order)}
        frame = whole.toDF(*(names.get(index, RECORD) for index in range(len(whole.columns))))
        if self.has_record and frame.columns[-1] != RECORD:  # folders named key=value add columns
            frame = frame.select(*names.values(), RECORD)
        if self._text is None:
            return frame
        if self.how.skip_lines:
            skipped = sum(map(self._is_numbered, self._first_lines[: self.how.skip_lines]))
            number = sql.monotonically_increasing_id() % (1 << 33)
            is_skipped = (number < skipped) & (sql.input_file_block_start() == 0)
            frame = frame.withColumn("skipped", is_skipped).filter(~sql.col("skipped")).drop("skipped")
        if self._text.comment:  # Spark's option of this name leaves out rows that start with it too
            is_comment = sql.col(RECORD).startswith(self._text.comment)
            frame = frame.filter(~sql.coalesce(is_comment, sql.lit(False)))
        if self._text.header:
            frame = frame.filter(~self._is_header())
        return frame

    def _is_numbered(self, line: str) -> bool:
        """Return whether Spark's reader hands out a line: neither a blank one nor a comment of the user's option."""
        comment = self.how.reader_options.get("comment")
        return bool(line.strip()) and not (comment and line.startswith(comment))

    def _is_header(self) -> Any:
        """Return the expression of whether a row repeats the header."""
        from pyspark.sql import functions as sql

        assert self._text is not None and self._text.header is not None
        header = [cell or "" for cell in self._text.header]
        header += [""] * (self._text.width - len(header))

        def stripped(cell: Any) -> Any:
            return sql.coalesce(sql.btrim(cell, sql.lit(BLANKS)), sql.lit(""))

        # One cell alone tells most rows from the header. One literal of all cells is one call into Java.
        index = next((index for index, cell in enumerate(header) if cell), 0)
        cells = sql.expr(f"array({', '.join(map(self.id_of, range(len(header))))})")
        is_header = sql.transform(cells, stripped) == sql.from_json(
            sql.lit(json.dumps(header)), "array<string>"
        )
        return (stripped(self.column(index)) == header[index]) & is_header

    def _splits(self) -> list[tuple[str, int, int]]:
        """Return (file, first byte, bytes) of each partition; for other tables, the partition's number as the place."""
        splits = jvm.file_splits(self.frame)
        if splits is None:
            count = self.frame.rdd.getNumPartitions()
            splits = [("", index, 0) for index in range(count)]
        return splits

    @property
    def order(self) -> list[int]:
        """Return the partitions in the order of their rows: by file and place in the file."""
        return sorted(range(len(self.splits)), key=lambda split: self.splits[split][:2])

    @functools.cached_property
    def folder_columns(self) -> frozenset[int]:
        """Return the columns whose values are those of folders named key=value."""
        base = self._base.get("basePath")
        folders = self.files[0].path.removeprefix(base).split("/")[:-1] if base else []
        keys = {folder.partition("=")[0] for folder in folders if "=" in folder}
        own = self._text.width if self._text is not None else 0
        return frozenset(index for index in range(own, self.width) if self.name_of(index) in keys)

    @functools.cached_property
    def vector_width(self) -> int | None:
        """Return the number of values of the first column of vectors, if there is one."""
        if table_columns.VECTOR not in self.types:
            return None
        column = self.types.index(table_columns.VECTOR)
        return next((len(row[column]) for row in self.sample if row[column] is not None), None)

    @functools.cached_property
    def estimated_rows(self) -> int:
        """Return the number of rows: counted where that is cheap, else estimated by the length of the first lines."""
        if self.how.format in (formats.CSV, formats.JSON):
            size = sum(len(line) + 1 for line in self._first_lines)
            return max(1, int(self.bytes / max(1, size) * len(self._first_lines)))
        return self.frame.count()

    def column(self, index: int) -> Any:
        """Return a column of the frame."""
        from pyspark.sql import functions as sql

        return sql.col(self.id_of(index))

    def id_of(self, index: int) -> str:
        """Return the name that a column has in the frame."""
        return f"c{index}"

    def cell(self, index: int) -> tuple[Any, str, tuple[str, ...]]:
        """Return a column of the frame, the name of its type and the words for missing values, for table_columns."""
        return self.column(index), self.types[index], self.how.all_missing_values

    def name_of(self, index: int) -> str:
        """Return the name of a column, or its number where it has none."""
        return self.names[index] if self.names else str(index)

    @contextmanager
    def readable(self) -> Iterator[None]:
        """Raise an error of Spark as one line."""
        try:
            yield
        except DataError:
            raise
        except Exception as error:
            known = translate(error, self.path, self.argument)
            if known is None and not is_from_java(error):
                raise  # a fault of this program
            if known is None:
                known = DataError(f"{self.argument}: Spark cannot read {self.path}: {reason_of(error)}")
                if is_of_network(str(error)):
                    known = PlatformError(str(known))
            if isinstance(known, DataError) and any(sign in str(error) for sign in FOOTER):
                known = DataError(
                    f"{self.argument}: expected a {self.how.format} file, found one whose footer cannot be read "
                    f"in {self.path}: it was cut short or damaged; write or copy it again"
                )
            if "TIMESTAMP(NANOS" in str(known):
                known = DataError(f"{known}; {NANOSECONDS}")
            raise known from error

    def collect(self, elements: Any) -> list:
        """Return an RDD's elements, or a DataFrame's rows, on the driver. Raises DataError where that fails."""
        self.context.setJobDescription(f"reading {self.argument}")
        with self.readable():
            return elements.collect()

    def firsts(self, rows: dict[int, int]) -> np.ndarray:
        """Return the number of the first row of each split (s,), given how many rows each has."""
        firsts, number = np.zeros(len(self.splits), np.int64), 0
        for split in self.order:
            firsts[split] = number
            number += rows.get(split, 0)
        return firsts


def _decoded(content: bytes, options: dict[str, str]) -> str:
    """Return the text of a file as Spark's reader decodes it with these options."""
    encoding = options.get("encoding", options.get("charset", "utf-8"))
    try:
        text = content.decode(encoding, errors="replace")
    except LookupError:  # a name that Java alone may know
        text = content.decode("utf-8", errors="replace")
    return text.removeprefix("\ufeff")
