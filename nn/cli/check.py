"""--check: print a table of the executors, and a line for each problem that would stop the job."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nn.cli import checked_data, console, describe, starting
from nn.cli.checked_data import CheckedData
from nn.cli.label_summary import LabelSummary
from nn.cli.options import Options, recipe_errors
from nn.cli.resume import Start
from nn.core import format
from nn.core.errors import DataError, MissingFileError, PlatformError
from nn.data.decoding import ClassLabels
from nn.data.split import Split
from nn.models.model_file import SavedModel
from nn.spark import preflight
from nn.spark.input import cache
from nn.spark.input.input_files import Files, Source
from nn.spark.input.table_source import Table
from nn.spark.input.text_source import TextFile
from nn.spark.preflight import BlockSummary, ExecutorReport, FirstAndLast, Memory
from nn.spark.runtime import cluster
from nn.spark.storage.filesystem import Storage, local_path
from nn.spark.storage.run_directory import Output
from nn.training import pretrained
from nn.training.assembly import for_replicas, network_of
from nn.training.backend import Facts
from nn.training.run import TrainingRun
from nn.training.trial_step import TrialStep

ABOUT = ("executor", "host", "python", "numpy", "nn", "BLAS threads", "tasks")
NEEDS = ("workers need", "of", "rows need", "of", "inputs")


def run(context: Any, storage: Storage, output: Output, start: Start) -> None:
    """Print a table of the executors, then the state of the data, the memory and OUTPUT.

    Raises PlatformError or DataError with the first problem; the others are printed before.
    """
    cluster.wait_for_executors(context, console.print_line)
    print_lines(filter(None, [start.lines()]))
    options = start.options.for_cluster(context.defaultParallelism)
    limit = cluster.worker_memory_limit(context)
    start_from = starting.read(storage, options)
    try:
        data = checked_data.read(context, storage, options, start_from and start_from.model)
    except MissingFileError:
        raise  # the driver does not see it either
    except DataError:
        # The line of an executor that lacks a file says more than the error of the job that read it.
        reports = preflight.report_executors(context, local_paths(options.sources(), storage), None, 0)
        print_lines(table(reports, limit))
        raise_first(faults(reports, limit), [])
        raise
    memory = preflight.memory_for_rows(context, data.sets)
    trial_step = _trial_step(options, data, start_from)
    reports = preflight.report_executors(
        context, local_paths(options.sources(), storage), trial_step, memory.needed
    )
    lines = [*map(ends_line, data.ends), *map(table_line, data.tables), memory_line(memory)]
    print_lines([*table(reports, limit), *map(format.note, data.notes), *lines])
    output.probe()
    print_lines([f"output    {output.folder.path} can be written to by the driver; no executor writes there"])
    if data.description is not None and data.preprocessing is not None:
        print_lines(describe.brief(data.description, data.preprocessing, options.recipe.is_regression))
    raise_first(faults(reports, limit), data.faults)
    print_lines(["checked   no problem was found; nothing was left behind"])


def print_lines(lines: Iterable[str]) -> None:
    """Print each line at once, so that a log has it in time."""
    for line in lines:
        console.print_line(line)


def raise_first(platform: Sequence[str], data: Sequence[str]) -> None:
    """Raise the first problem as an error, those of the platform before those of the data; print the others."""
    print_lines([f"problem   {problem}" for problem in [*platform, *data][1:]])
    if platform:
        raise PlatformError(f"--check: {platform[0]}")
    if data:
        raise DataError(f"--check: {data[0]}")


def _trial_step(options: Options, data: CheckedData, start_from: SavedModel | None) -> TrialStep | None:
    """Return a training step like the job's on one partition; None if the data are faulty."""
    if data.description is None or data.preprocessing is None or not data.preprocessing.width:
        return None
    rows, facts = data.description.summary.rows, data.preprocessing.facts
    partitions = options.partition_count
    recipe = for_replicas(options.recipe, rows, partitions)
    width = data.preprocessing.width
    with recipe_errors():
        # Raises here, in one line, an error that would fail on an executor.
        if start_from is not None:
            facts = pretrained.adapted(
                recipe, _with_labels(facts, data.preprocessing.label), start_from.model
            )
            width = math.prod(TrainingRun.of(recipe, facts, Split(rows), start_from).model.input_shape)
        network_of(recipe, Facts.of_shapes(width, facts.classes))
    recipe = dataclasses.replace(recipe, keep_layers=None)  # whose weights they are makes no difference
    return TrialStep(recipe, width, facts.classes, -(-rows // partitions), _bytes_a_value(data.train))


def _with_labels(facts: Facts, label: LabelSummary | None) -> Facts:
    """Return the facts with a row of each class that has some."""
    names = tuple(name for name, rows in (label.classes if label else None) or () if rows)
    if len(names) < 2:
        return facts
    return facts._replace(labels=np.arange(len(names)), classes=len(names), labeled=ClassLabels(names))


def _bytes_a_value(files: Files) -> int:
    """Return the bytes of a cached input: 1 or 4."""
    if isinstance(files.images, TextFile):
        return cache.row_bytes(files.images) // files.images.dialect.width
    return sum(kind.bytes for kind in files.kinds) // files.width


def local_paths(sources: Iterable[Source | None], storage: Storage) -> list[str]:
    """Return the input paths that every machine must have on its own disk; Spark checks glob patterns."""
    paths = [
        path
        for source in sources
        if source is not None
        for path in (source.images, source.labels)
        if path is not None
    ]
    found = (local_path(path, storage) for path in paths if not set(path) & set("*?[{"))
    return [path for path in found if path is not None]


def table(reports: Sequence[ExecutorReport], limit: int | None, trial: str = "step") -> list[str]:
    """Return the table as lines: a header, then one line per executor.

    `limit` is the memory of an executor's workers in bytes; None: all that its machine has free.
    """
    rows = [(*ABOUT, trial, *NEEDS), *(_cells(report, limit) for report in reports)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _cells(report: ExecutorReport, limit: int | None) -> tuple[str, ...]:
    worker, executor, row_bytes = report
    return (
        "?" if executor is None else executor.name,
        *(worker.host, worker.python, worker.numpy, worker.nn, worker.threads),
        "?" if executor is None else str(executor.slots),
        "?" if worker.trial_seconds is None else format.duration(worker.trial_seconds),
        _size(_workers(report)),
        _size(worker.free_memory if limit is None else limit),
        _size(row_bytes),
        _size(0 if executor is None else executor.storage),
        "unreadable" if worker.unreadable else "readable",
    )


def _workers(report: ExecutorReport) -> int:
    """Return the most bytes that all workers of an executor took together; 0 if unknown."""
    return 0 if report.executor is None else report.executor.slots * report.worker.peak_memory


def _size(size: int) -> str:
    return format.size(size) if size else "?"


def faults(reports: Sequence[ExecutorReport], limit: int | None) -> list[str]:
    """Return a line for each problem of the executors that would stop a job or make its results vary between runs."""
    workers = [report.worker for report in reports]
    problems = [
        f"{worker.host} cannot read {path}: put it on every machine, or on a file system that all of them share"
        for worker in workers
        for path in worker.unreadable
    ]
    moved = "; a task that moves to another machine may give results with other last bits"
    for name in ("python", "numpy", "nn"):
        versions = sorted({getattr(worker, name) for worker in workers})
        if len(versions) > 1:
            problems.append(f"executors run different versions of {name}: {', '.join(versions)}{moved}")
    hosts = {worker.arithmetic: worker.host for worker in workers}
    if len(hosts) > 1 and len({worker.numpy for worker in workers}) == 1:
        names = " and ".join(sorted(hosts.values()))
        problems.append(f"the processors or BLAS libraries of {names} round sums differently{moved}")
    return problems + _too_little_memory(reports, limit)


def _too_little_memory(reports: Sequence[ExecutorReport], limit: int | None) -> list[str]:
    """Return a line for each executor whose workers need more memory than there is."""
    problems = []
    for report in reports:
        needed, available = _workers(report), report.worker.free_memory if limit is None else limit
        if not available or needed <= available:
            continue
        hint = (
            "give it fewer cores"
            if limit is None
            else "raise spark.executor.memoryOverhead or give it fewer cores"
        )
        problems.append(
            f"executor {_cells(report, limit)[0]} on {report.worker.host}: its workers need "
            f"{format.size(needed)}, {format.size(available)} are available beside the heap: {hint}"
        )
    return problems


def ends_line(ends: FirstAndLast) -> str:
    """Return the line on the first and the last block of a text."""
    first, last = (
        f"{block.rows:,} rows of {block.width} value{'s' if block.width > 1 else ''}"
        if isinstance(block, BlockSummary)
        else "unreadable"
        for block in (ends.first, ends.last)
    )
    splits = format.counted(ends.splits, "input split")
    return f"data      {ends.argument}: {splits}; first block {first}, last block {last}"


def table_line(table: Table) -> str:
    """Return the line on a table."""
    splits = format.counted(len(table.splits), "input split")
    return (
        f"data      {table.argument}: {table.how.format} of {format.counted(table.width, 'column')}; {splits}"
    )


def memory_line(memory: Memory) -> str:
    """Return the line on the memory that the rows need and the executors have."""
    level = (
        "in memory"
        if memory.needed <= cache.SHARE * memory.free
        else "on disk, which is slower; more memory would hold them"
    )
    return (
        f"memory    rows need {format.size(memory.needed)}, executors have {format.size(memory.free)} for them: "
        f"they are cached {level}"
    )
