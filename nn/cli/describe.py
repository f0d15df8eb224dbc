"""--describe: print the columns of TRAIN_IMAGES, what training does to each, and what they look like."""

from __future__ import annotations

import math
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from nn.cli import console
from nn.cli.label_summary import LabelSummary
from nn.cli.options import Options
from nn.cli.preprocessing import ADVICE, NOTABLE, PreprocessedColumn, Preprocessing, preprocessing_of
from nn.core import format
from nn.spark.input import describing
from nn.spark.input.describing import Description
from nn.spark.runtime import cluster
from nn.spark.storage.filesystem import Storage

HEADER = ("column", "kind", "min", "mean", "max", "missing", "distinct", "what training does")
GROUPED_FROM = 40  # columns, from which neighbors that are preprocessed alike share a line
MOST_LINES = 200
MOST_CLASSES = MOST_NAMES = 10  # in a line
LONGEST_NAME = 40  # characters


def run(context: Any, storage: Storage, options: Options) -> None:
    """Print the description of a training set. Raises DataError for what cannot be read as a table at all."""
    cluster.wait_for_executors(context, console.print_line)
    description, preprocessing = read(context, storage, options)
    for line in (
        *map(format.note, description.notes),
        data_line(description, preprocessing),
        label_line(preprocessing.label, options.recipe.is_regression),
        "",
        *table(preprocessing.columns),
        "",
        *explanations(description, preprocessing, options),
    ):
        console.print_line(line)


def read(context: Any, storage: Storage, options: Options) -> tuple[Description, Preprocessing]:
    """Read the training set once, and find out what training would do to it."""
    source, _ = options.sources()
    partitions = options.for_cluster(context.defaultParallelism).partition_count
    with options.get_data_hint():
        description = describing.describe(context, storage, source, partitions, options.reading)
    return description, preprocessing_of(description, options.recipe)


# ---- lines ----


def data_line(description: Description, preprocessing: Preprocessing) -> str:
    """Return the line on the rows and the columns."""
    columns = len(description.columns)
    return (
        f"data      {description.argument}: {description.path} ({description.format}): "
        f"{format.counted(description.summary.rows, 'row')} of {format.counted(columns, 'column')}, "
        f"{format.counted(preprocessing.width, 'input')}"
    )


def label_line(label: LabelSummary | None, is_regression: bool) -> str:
    """Return the line on the labels: classes with their rows, or the range of the target."""
    if label is None:
        return "label     none is named: --label-column NAME describes it, and finds copies of it"
    task = "regression" if is_regression else "classification"
    start = f"label     {label.where}: {task}"
    if label.target is not None:
        low, mean, high = map(_number, label.target)
        start += f", target from {low} to {high}, mean {mean}"
    if label.classes:
        named = [f"{name} {rows:,}" for name, rows in label.classes[:MOST_CLASSES]]
        more = ", ..." if len(label.classes) > MOST_CLASSES else ""
        count = "1 class" if len(label.classes) == 1 else f"{len(label.classes):,} classes"
        start += f", {count}: {', '.join(named)}{more}"
    return (
        start
        if not label.fault
        else f"{start}; training refuses it: {label.fault.removeprefix(f'{label.where}: ')}"
    )


def table(columns: Sequence[PreprocessedColumn]) -> list[str]:
    """Return the table of the columns as lines: a header, then a line for each, or for neighbors of a wide table."""
    lines = list(columns) if len(columns) < GROUPED_FROM else list(grouped(columns))
    cells = [HEADER, *map(_cells, lines[:MOST_LINES])]
    widths = [max(len(row[place]) for row in cells) for place in range(len(HEADER) - 1)]
    shown = []
    for row in cells:
        texts = [cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True)]
        numbers = [cell.rjust(width) for cell, width in zip(row[2:-1], widths[2:], strict=True)]
        shown.append("  ".join([*texts, *numbers, row[-1]]).rstrip())
    left = sum(line.columns for line in lines[MOST_LINES:])
    return [*shown, f"... and {left:,} more columns"] if left else shown


def grouped(columns: Iterable[PreprocessedColumn]) -> Iterator[PreprocessedColumn]:
    """Yield neighbors of one kind that are preprocessed alike as one."""
    for _, group in groupby(
        columns, key=lambda column: (column.role, column.kind, column.done, column.faults)
    ):
        members = list(group)
        first = members[0]
        if len(members) == 1:
            yield first
            continue
        extras: Counter[str] = Counter()
        for member in members:
            extras.update(dict(member.extras))
        means = [member.mean for member in members if not math.isnan(member.mean)]
        yield first._replace(
            name=f"{_short(first.name)} ... {_short(members[-1].name)} ({len(members):,} columns)",
            low=min((m.low for m in members if not math.isnan(m.low)), default=math.nan),
            mean=sum(means) / len(means) if means else math.nan,
            high=max((m.high for m in members if not math.isnan(m.high)), default=math.nan),
            missing_values=sum(member.missing_values for member in members),
            distinct=(min(m.distinct[0] for m in members), max(m.distinct[1] for m in members)),
            is_estimated=any(member.is_estimated for member in members),
            extras=tuple(extras.items()),
            columns=len(members),
        )


def _cells(column: PreprocessedColumn) -> tuple[str, ...]:
    fewest, most = column.distinct
    distinct = f"{fewest:,}" if fewest == most else f"{fewest:,}..{most:,}"
    return (
        column.name if column.columns > 1 else _short(column.name),
        column.kind,
        *map(_number, (column.low, column.mean, column.high)),
        f"{column.missing_values:,}",
        f"~{distinct}" if column.is_estimated else distinct,
        words(column),
    )


def words(column: PreprocessedColumn) -> str:
    """Return what training does to a column, and what it looks like."""
    extras = [extra if column.columns == 1 else f"{extra} ({count:,})" for extra, count in column.extras]
    refused = [f"refused: {fault}" for fault in column.faults]
    return "; ".join(filter(None, [column.done, *extras, *refused]))


def _short(name: str) -> str:
    name = name or "(no name)"
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 3]}..."


def _number(value: float) -> str:
    if math.isnan(value):
        return "-"
    is_whole = value == round(value) or abs(value) >= 1e6
    return f"{value:.0f}" if is_whole and abs(value) < 1e15 else f"{value:.6g}"


def explanations(description: Description, preprocessing: Preprocessing, options: Options) -> Iterator[str]:
    """Yield the lines below the table."""
    if any(column.is_estimated for column in preprocessing.columns):
        kept = description.summary.limits.distinct
        error = 100 / math.sqrt(kept)
        yield f"distinct  exact up to {kept:,} values; ~ is an estimate from hashes, mostly within {2 * error:.2g} %"
    rows = description.summary.rows_with_missing
    if rows:
        have = "row has" if rows == 1 else "rows have"
        yield f"missing   {rows:,} {have} missing values in inputs; {_missing(options)}"
    if description.summary.records:
        lines = format.counted(description.summary.records, "line")
        yield f"lines     {lines} without a row of {len(description.columns)} cells; training refuses them"
    yield from advice(preprocessing)
    yield "described nothing was trained or written"


def advice(preprocessing: Preprocessing) -> Iterator[str]:
    """Yield the option that leaves out the columns that look like no input, if there are any."""
    doubtful = [column.reference for column in preprocessing.columns if column.is_doubtful]
    if doubtful:
        shown = shlex.quote(",".join(doubtful[:MOST_NAMES]))
        more = f" and {len(doubtful) - MOST_NAMES:,} more" if len(doubtful) > MOST_NAMES else ""
        yield f"advice    --drop-columns {shown}{more} leaves out what looks like no input"


def _missing(options: Options) -> str:
    if options.recipe.missing == "error":
        return ADVICE
    return f"--missing {options.recipe.missing}"


def brief(description: Description, preprocessing: Preprocessing, is_regression: bool) -> Iterator[str]:
    """Yield the lines on a training set for --check: its size, its labels, and the columns that look like a mistake."""
    yield data_line(description, preprocessing)
    if preprocessing.label is not None:
        yield label_line(preprocessing.label, is_regression)
    columns = (
        preprocessing.columns if len(preprocessing.columns) < GROUPED_FROM else grouped(preprocessing.columns)
    )
    notable = [column for column in columns if any(extra.startswith(NOTABLE) for extra, _ in column.extras)]
    for column in notable[:MOST_NAMES]:
        yield f"column    {column.name}: {words(column._replace(faults=()))}"
    if len(notable) > MOST_NAMES:
        yield f"column    ... and {len(notable) - MOST_NAMES:,} more, which --describe lists"
    yield from advice(preprocessing)
