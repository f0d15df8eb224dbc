"""Read the rows of a table into cached blocks, in one pass.

Rows travel through Arrow where the driver and the executors have pyarrow, else pickled, with the same bits.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import partial
from typing import Any

from nn.spark.input import cache, table_rows
from nn.spark.input.parsing import CachedRows, Parsed, without_inputs
from nn.spark.input.table_faults import refuse_faults
from nn.spark.input.table_layout import Layout
from nn.spark.input.table_rows import RowPlan
from nn.spark.input.text_source import SplitStats
from nn.spark.runtime import jvm


def read_rows(layout: Layout) -> CachedRows:
    """Pack all rows into blocks and cache them. Raises DataError for cells that are no values."""
    table = layout.table
    plan, frame = layout.rows()
    elements = elements_of(plan, frame, has_arrow(table.context))
    if len(table.splits) > table.partitions and not jvm.has_hosts(elements):
        elements = elements.coalesce(table.partitions)
    with table.readable():
        cached = elements.persist(cache.level(table.context, table.estimated_rows * layout.row_bytes))
    with cache.freed_on_error(cached):
        found = table.collect(
            cached.mapPartitionsWithIndex(partial(without_inputs, layout.columns.has_sides))
        )
        placed = [pair for pair in found if isinstance(pair[1], SplitStats)]
        firsts = table.firsts({stats.split: stats.rows for _, stats in placed})
        placed.sort(key=lambda pair: table.splits[pair[1].split][:2])
        refuse_faults(layout, [stats for _, stats in placed])
    total = sum(stats.rows for _, stats in placed)
    sides = sorted(
        (part for _, part in found if isinstance(part, Parsed)),
        key=lambda part: int(firsts[part.split]) + part.start,
    )
    return CachedRows(cached, placed, firsts, layout.row_bytes, layout.row_bytes * total, sides)


def elements_of(plan: RowPlan, frame: Any, arrow: bool) -> Any:
    """Return the RDD of Parsed and SplitStats. `arrow`: the driver and the executors have what Spark needs for it."""
    if not arrow:
        return frame.rdd.mapPartitionsWithIndex(partial(table_rows.from_rows, plan))
    frame.sparkSession.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", str(plan.batch_rows))
    packed = frame.mapInArrow(partial(table_rows.from_arrow, plan), table_rows.ELEMENT)
    return jvm.pickled_elements(packed)


def has_arrow(context: Any) -> bool:
    """Return whether driver and executors have what Spark needs for Arrow: pyarrow, and pandas before Spark 4."""
    modules = ("pyarrow",) if int(context.version.split(".")[0]) >= 4 else ("pyarrow", "pandas")
    if not _have(modules, 0):
        return False
    slots = context.defaultParallelism
    return all(context.parallelize(range(slots), slots).map(partial(_have, modules)).collect())


def _have(modules: Sequence[str], _: int) -> bool:
    try:
        for module in modules:
            importlib.import_module(module)
    except Exception:  # whatever it is: a pyarrow of another NumPy may raise anything
        return False
    return True
