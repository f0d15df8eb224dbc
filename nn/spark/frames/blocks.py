"""The rows of a DataFrame in cached blocks, and what a run depends on in them: the same for every kind of session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from nn.core.errors import DataError
from nn.data.block import Block
from nn.models.sequential import Params, Sequential
from nn.spark.backend import SparkBackend, without_errors
from nn.spark.frames import frame_faults
from nn.spark.frames.frame_table import ROWS, FrameTable, layout_of
from nn.spark.frames.interface import FrameRequest
from nn.spark.input.dataset import fingerprint
from nn.spark.input.parsing import Parsed, to_block, without_inputs
from nn.spark.input.table_layout import Layout
from nn.spark.input.table_rows import RowPlan
from nn.spark.input.text_source import SplitStats
from nn.spark.runtime.broadcast import broadcast
from nn.training.backend import Facts
from nn.training.evaluation import AnyScore, evaluate


class BlockBackend(SparkBackend):
    """Rows of a DataFrame in blocks."""

    def evaluate(self, model: Sequential, params: Params) -> AnyScore:
        """Score the rows that are learned from, each counting once."""
        self.blocks.context.setJobDescription(f"evaluating {self._source}")
        handle = broadcast(self.blocks.context, params)
        try:
            return evaluate(self.blocks.filter(_is_training), model, handle, with_rows=False)
        finally:
            handle.destroy()


def _is_training(block: Block) -> bool:
    return not block.validation


class BlockFrame:
    """The rows of a DataFrame in cached blocks. Their order is that of the partitions."""

    def __init__(self, facts: Facts, blocks: Any, cached: Any, weighted: bool, ended: Callable[[], Any]):
        self.facts, self._blocks, self._cached = facts, blocks, cached
        self._weighted, self._ended = weighted, ended
        self._backends: list[BlockBackend] = []

    def backend(self) -> BlockBackend:
        """Return a backend for the rows as they were read."""
        backend = BlockBackend(self._blocks, self._cached, self._weighted, ROWS, keeps_rows=True)
        self._backends.append(backend)
        return backend

    def release(self) -> None:
        """Free the cached blocks."""
        for backend in self._backends:
            without_errors(backend.release)
            if backend.blocks is not self._blocks:
                without_errors(backend.blocks.unpersist)
        without_errors(self._cached.unpersist)
        without_errors(self._ended)


def nothing() -> None:
    """Do nothing."""


def read_blocks(
    table: FrameTable,
    request: FrameRequest,
    cached_elements: Callable[[RowPlan, Any], Any],
    ended: Callable[[], Any] = nothing,
) -> BlockFrame:
    """Read the rows of a table in one pass. `cached_elements` packs them and caches the Parsed and SplitStats.

    `ended` is called where the blocks are freed. Raises DataError for rows that cannot be learned from.
    """
    layout = layout_of(table, request)
    with table.readable():
        cached = cached_elements(*layout.rows())
    try:
        found = table.collect(cached.mapPartitionsWithIndex(partial(without_inputs, True)))
        statistics = sorted((one for _, one in found if isinstance(one, SplitStats)), key=_split)
        frame_faults.refuse_faults(table, layout, statistics)
        sides = sorted((part for _, part in found if isinstance(part, Parsed)), key=_split_and_start)
        facts = _facts(request, layout, statistics, sides, cached.getNumPartitions())
    except BaseException:
        without_errors(cached.unpersist)
        raise
    counts = np.zeros(cached.getNumPartitions() + 1, np.int64)
    for one in statistics:
        counts[one.split + 1] = one.rows
    blocks = cached.flatMap(partial(to_block, np.cumsum(counts)[:-1], None, None))
    return BlockFrame(facts, blocks, cached, bool(request.columns.weight), ended)


def _split(element: SplitStats) -> int:
    return element.split


def _split_and_start(part: Parsed) -> tuple[int, int]:
    return part.split, part.start


def _facts(
    request: FrameRequest, layout: Layout, statistics: list[SplitStats], sides: list[Parsed], partitions: int
) -> Facts:
    labels = np.concatenate([part.labels for part in sides if part.labels is not None])
    classes = 1
    if not request.is_regression:
        distinct = np.unique(labels)
        if len(distinct) < 2:
            name = repr(request.columns.label)
            raise DataError(
                f"labelCol: column {name}: expected at least 2 classes, found class {distinct[0]} alone"
            )
        classes = request.classes or int(labels.max()) + 1
    flags = [part.held_out for part in sides if part.held_out is not None]
    return Facts(
        layout.width,
        labels,
        classes,
        scale=max(one.largest for one in statistics) or 1.0,
        partitions=partitions,
        columns=layout.schema,
        are_pixels=all(one.columns is None or one.columns.low is None for one in statistics),
        has_names=not isinstance(request.columns.features, str),
        held_out=np.concatenate(flags) if flags else None,
        fingerprint=fingerprint(labels, statistics),
    )
