"""Rows of a table -> Parsed, on the executors: through Arrow where they have pyarrow, else as pickled rows.

Both ways give the same blocks, to the bit: the JVM has cast all numbers. Faults are counted, not raised.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from nn.data import checks, csv
from nn.data.block import LARGEST_WEIGHT
from nn.spark.input.parsing import Parsed
from nn.spark.input.table_source import RECORD
from nn.spark.input.text_source import CellFaults, SplitStats
from nn.spark.runtime.workers import tune_worker

LABEL, WEIGHT, VALIDATION = "label", "weight", "validation"
BATCH_BYTES = 16 << 20  # of inputs that travel at once
ELEMENT = "element binary"  # the columns that executors send back


class Piece(NamedTuple):
    """Columns of inputs that travel together: an array<float>, or bytes."""

    width: int
    is_bytes: bool = False


class RowPlan(NamedTuple):
    """How the columns of a row are laid out: the split, the pieces, then label, weight and others as doubles."""

    pieces: tuple[Piece, ...]
    sides: tuple[str, ...]  # LABEL, WEIGHT, VALIDATION and RECORD, those that there are, in this order
    has_targets: bool = False  # whether labels are targets
    refuses_missing: bool = True
    drops_missing: bool = False
    keeps_faults: bool = False  # whether rows with faults of their inputs go on, with NaN and infinite values
    kept: int = 0  # columns at the end that go on as they are

    @property
    def width(self) -> int:
        """Return the number of columns of inputs."""
        return sum(piece.width for piece in self.pieces)

    @property
    def batch_rows(self) -> int:
        """Return how many rows travel at once: whole blocks."""
        rows = csv.chunk_rows(self.width)
        return rows * max(1, min(8, BATCH_BYTES // (4 * self.width * rows)))


class Batch(NamedTuple):
    """Consecutive rows of one split."""

    inputs: np.ndarray  # (n, c)
    bad: np.ndarray  # (n, c) bool, or (0, c): cells that are no numbers
    sides: dict[str, np.ndarray]  # (n,) float64 each
    kept: np.ndarray | None = None  # (n, m) objects

    def take(self, chosen: np.ndarray | slice) -> Batch:
        """Return the chosen rows."""
        sides = {name: side[chosen] for name, side in self.sides.items()}
        kept = None if self.kept is None else self.kept[chosen]
        return Batch(self.inputs[chosen], self.bad[:0], sides, kept)

    def after(self, other: Batch) -> Batch:
        """Return the rows of the other batch and, after them, these."""
        sides = {name: np.concatenate([other.sides[name], side]) for name, side in self.sides.items()}
        kept = None if self.kept is None or other.kept is None else np.concatenate([other.kept, self.kept])
        return Batch(np.concatenate([other.inputs, self.inputs]), self.bad[:0], sides, kept)


# ---- from Spark ----


def from_arrow(plan: RowPlan, batches: Iterable[Any]) -> Iterator[Any]:
    """Yield a batch of Arrow with one element, pickled, for each element of the only split in `batches`."""
    import pyarrow as pa

    filled = (batch for batch in batches if batch.num_rows)
    first = next(filled, None)
    if first is None:
        return
    split = first.column(0)[0].as_py()
    for element in parse_arrow(plan, split, chain([first], filled)):
        yield pa.RecordBatch.from_arrays([pa.array([pickle.dumps(element, 5)], pa.binary())], ["element"])


def parse_arrow(plan: RowPlan, split: int, batches: Iterable[Any]) -> Iterator[Parsed | SplitStats]:
    """Yield the elements of the rows of a split, in batches of Arrow."""
    return parse(plan, split, (_arrow_batch(plan, batch) for batch in batches if batch.num_rows))


def _arrow_batch(plan: RowPlan, batch: Any) -> Batch:
    parts = []
    for index, piece in enumerate(plan.pieces, 1):
        column = batch.column(index)
        if piece.is_bytes:
            parts.append(_bytes(column.to_pylist(), piece.width))
        else:
            values = column.flatten().to_numpy(zero_copy_only=False)  # nulls become NaN
            parts.append(values.astype(np.float32, copy=False).reshape(-1, piece.width))
    first = 1 + len(plan.pieces)
    sides = {
        name: batch.column(first + index).to_numpy(zero_copy_only=False)
        for index, name in enumerate(plan.sides)
    }
    first += len(plan.sides)
    return _batch(parts, sides, [batch.column(first + index).to_pylist() for index in range(plan.kept)])


def from_rows(plan: RowPlan, split: int, rows: Iterable[Any]) -> Iterator[Parsed | SplitStats]:
    """Yield the elements of the rows of a split, which are tuples; nothing for an empty split, as through Arrow."""
    rows = iter(rows)
    batches = iter(lambda: list(islice(rows, plan.batch_rows)), [])
    first = next(batches, None)
    if first is not None:
        yield from parse(plan, split, (_row_batch(plan, batch) for batch in chain([first], batches)))


def _row_batch(plan: RowPlan, rows: list[Any]) -> Batch:
    columns = list(zip(*rows, strict=True))
    parts = []
    for column, piece in zip(columns[1:], plan.pieces, strict=False):
        parts.append(_bytes(column, piece.width) if piece.is_bytes else _floats(column, piece.width))
    first = 1 + len(plan.pieces)
    sides = {name: np.array(columns[first + index], np.float64) for index, name in enumerate(plan.sides)}
    return _batch(parts, sides, columns[first + len(plan.sides) :])


def _floats(column: Iterable[Any], width: int) -> np.ndarray:
    try:
        values = np.fromiter(chain.from_iterable(column), np.float32)
    except TypeError:  # None is a missing value
        values = np.array(list(chain.from_iterable(column)), np.float32)
    return values.reshape(-1, width)


def _bytes(column: Iterable[bytes | None], width: int) -> np.ndarray:
    """Return bytes (n, width) uint8; where a row has none of that width, infinite float32."""
    values = list(column)
    if None not in values:
        return np.frombuffer(b"".join(values), np.uint8).reshape(-1, width)  # type: ignore[arg-type]
    rows = [np.full(width, np.inf) if value is None else np.frombuffer(value, np.uint8) for value in values]
    return np.stack(rows).astype(np.float32)


def _batch(parts: list[np.ndarray], sides: dict[str, np.ndarray], kept: Sequence[Sequence[Any]]) -> Batch:
    inputs = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    if inputs.dtype != np.uint8 and np.isnan(inputs.min(initial=0)):
        inputs = np.where(np.isnan(inputs), np.float32(np.nan), inputs)  # of all bit patterns of NaN, one
    bad = np.isinf(inputs) if inputs.dtype != np.uint8 else np.zeros((0, inputs.shape[1]), bool)
    objects = None
    if kept:
        objects = np.empty((len(inputs), len(kept)), object)
        for index, values in enumerate(kept):
            objects[:, index] = np.fromiter(values, object, len(inputs))  # lists stay values of one cell
    return Batch(inputs, bad, sides, objects)


# ---- to elements ----


def parse(plan: RowPlan, split: int, batches: Iterable[Batch]) -> Iterator[Parsed | SplitStats]:
    """Yield the rows of a split in blocks of csv.chunk_rows, then its statistics. After a fault, rows are counted."""
    tune_worker()
    faults = CellFaults(np.zeros(plan.width, np.int64), np.zeros(plan.width, np.int64))
    rows = checksum = 0
    summary = None
    for batch in _blocks(plan, batches):
        if isinstance(batch, CellFaults):
            faults = faults + batch
            continue
        if _is_wrong(plan, faults):
            continue
        inputs = csv.compact(batch.inputs)
        observed = checks.summarize(inputs, rows)
        summary = observed if summary is None else summary + observed
        labels = batch.sides.get(LABEL)
        if labels is not None and not plan.has_targets:
            labels = labels.astype(np.int16)
        weights, flags = batch.sides.get(WEIGHT), batch.sides.get(VALIDATION)
        held_out = None if flags is None else flags == 1
        for values in (inputs, weights, held_out):
            if values is not None:
                checksum = zlib.crc32(np.ascontiguousarray(values).data, checksum)
        yield Parsed(split, rows, inputs, labels, weights, held_out, batch.kept)
        rows += len(inputs)
    largest = 0.0 if summary is None else summary.largest
    yield SplitStats(split, rows, rows, 0, 0, None, largest, checksum, summary, cells=faults)


def _is_wrong(plan: RowPlan, faults: CellFaults) -> bool:
    wrong: Any = faults.labels or faults.weights or faults.flags
    if not plan.keeps_faults:
        wrong = (
            wrong or faults.bad.any() or faults.records or (plan.refuses_missing and faults.rows_with_missing)
        )
    return bool(wrong)


def _blocks(plan: RowPlan, batches: Iterable[Batch]) -> Iterator[Batch | CellFaults]:
    """Yield the faults of each batch, and its rows cut into blocks."""
    size, rest = csv.chunk_rows(plan.width), None
    for batch in batches:
        faults, has_missing = _faults_of(plan, batch)
        yield faults
        if plan.drops_missing and has_missing is not None:
            batch = batch.take(~has_missing)
        if rest is not None:
            batch = batch.after(rest)
        whole = len(batch.inputs) // size * size
        for start in range(0, whole, size):
            yield batch.take(slice(start, start + size))
        rest = batch.take(slice(whole, None)) if whole < len(batch.inputs) else None
    if rest is not None:
        yield rest


def _faults_of(plan: RowPlan, batch: Batch) -> tuple[CellFaults, np.ndarray | None]:
    """Return the faults of a batch, and which of its rows (n,) have missing values; None where none has."""
    missing_values = bad = np.zeros(plan.width, np.int64)
    has_missing = None
    if len(batch.bad) and batch.bad.any():
        bad = batch.bad.sum(axis=0)
    if batch.inputs.dtype != np.uint8 and np.isnan(batch.inputs.min(initial=0)):
        missing = np.isnan(batch.inputs)
        missing_values, has_missing = missing.sum(axis=0), missing.any(axis=1)
    labels, weights = batch.sides.get(LABEL), batch.sides.get(WEIGHT)
    flags, records = batch.sides.get(VALIDATION), batch.sides.get(RECORD)
    wrong = np.zeros(0, bool)
    if labels is not None:
        wrong = ~np.isfinite(labels) if plan.has_targets else ~(labels >= 0)
    return CellFaults(
        missing_values,
        bad,
        0 if has_missing is None else int(has_missing.sum()),
        int(wrong.sum()),
        0 if weights is None else int((~((weights >= 0) & (weights <= LARGEST_WEIGHT))).sum()),
        0 if flags is None else int((~np.isin(flags, (0, 1))).sum()),
        0 if records is None else int(records.sum()),
    ), has_missing
