"""Summarize the rows of a split, on the executors: lines of numeric text, or rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from nn.data import csv
from nn.data.description import Limits, Summary, summarize
from nn.spark.input.text_source import SplitStats
from nn.spark.runtime.workers import tune_worker


class Layout(NamedTuple):
    """How the columns of a row travel to Python, and where they stand in a summary."""

    width: int  # of the summary
    scalars: tuple[int, ...]  # columns of the summary: numbers, which travel as one array
    pieces: tuple[tuple[int, int, bool], ...]  # (first, width, whether bytes) of arrays and vectors
    texts: tuple[int, ...]  # columns of the summary: strings, which travel as one array
    inputs: tuple[int, ...]  # columns of the summary that are inputs
    label: int | None
    limits: Limits

    def summarize(
        self,
        values: np.ndarray,
        texts: Mapping[int, Sequence[str | None]],
        split: int,
        start: int,
        records: int = 0,
    ) -> Summary:
        """Summarize rows that lie in this layout."""
        inputs = np.array(self.inputs, np.intp)
        return summarize(values, texts, inputs, self.label, split, start, self.limits, records)


def of_lines(
    dialect: csv.Dialect, layout: Layout, kind: type, split: int, starts_file: bool, lines: Iterator[bytes]
) -> Iterator[SplitStats | tuple[int, Summary]]:
    """Yield the statistics of a split of text, then its summary, if it has rows."""
    tune_worker()
    total: Summary | None = None
    for part in csv.parse(lines, dialect, starts_file, kind):
        if isinstance(part, csv.PieceEnd):
            yield SplitStats(split, part.rows, part.lines, part.bytes, part.blank, part.fault)
        else:
            summary = layout.summarize(part.values.astype(np.float64), {}, split, part.start)
            total = summary if total is None else total + summary
    if total is not None:
        yield split, total


def of_rows(
    layout: Layout, has_records: bool, split: int, rows: Iterable[Any]
) -> Iterator[tuple[int, Summary]]:
    """Yield the summary of the rows of a split, if it has some."""
    tune_worker()
    rows = iter(rows)
    total: Summary | None = None
    start = 0
    while batch := list(islice(rows, csv.chunk_rows(layout.width))):
        scalars, *rest = zip(*batch, strict=True)
        records = sum(rest.pop()) if has_records else 0
        texts = dict(zip(layout.texts, zip(*rest.pop(), strict=True), strict=True)) if layout.texts else {}
        values = np.full((len(batch), layout.width), np.nan)
        if layout.scalars:
            values[:, layout.scalars] = np.array(scalars, np.float64)
        for (first, width, is_bytes), cells in zip(layout.pieces, rest, strict=False):
            values[:, first : first + width] = (
                _bytes(cells, width) if is_bytes else np.array(cells, np.float64)
            )
        summary = layout.summarize(values, texts, split, start, records)
        total = summary if total is None else total + summary
        start += len(batch)
    if total is not None:
        yield split, total


def _bytes(cells: Iterable[bytes | None], width: int) -> np.ndarray:
    """Return bytes as numbers (n, width), infinite where a row has none of that width."""
    wrong = np.full(width, np.inf)
    return np.stack([wrong if cell is None else np.frombuffer(cell, np.uint8) for cell in cells])
