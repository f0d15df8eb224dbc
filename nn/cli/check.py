"""What a job would meet on a cluster, as a table, and a line for each thing that would stop it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from nn.cli import console
from nn.cli.options import Options
from nn.cli.resume import Start
from nn.core import format
from nn.core.errors import DataError, MissingFileError, PlatformError
from nn.data import csv
from nn.spark import preflight
from nn.spark.input import cache
from nn.spark.input.reader import Files
from nn.spark.preflight import Ends, Found, PieceEnd, Room
from nn.spark.runtime import cluster
from nn.spark.storage.filesystem import Storage, local_path
from nn.spark.storage.run_directory import Output
from nn.training.trial_step import Rehearsal

HEADER = (
    *("executor", "host", "python", "numpy", "nn", "BLAS threads", "tasks", "step"),
    *("workers need", "of", "rows need", "of", "inputs"),
)


def run(context: Any, storage: Storage, output: Output, start: Start) -> None:
    """Print the table and what follows it.

    Raises PlatformError or DataError, with the first reason, after all that could be learnt, where a job would not
    run well.
    """
    cluster.wait_for_executors(context, console.print_line)
    _print_lines(filter(None, [start.lines()]))
    asked = start.asked
    partitions = asked.for_cluster(context.defaultParallelism).pieces
    bound = cluster.worker_memory_limit(context._jsc.sc().conf(), context.master)
    try:
        train, test = _opened(context, storage, asked, partitions)
        ends = [*preflight.ends(train), *preflight.ends(test)]
    except MissingFileError:
        raise  # the driver does not see it either
    except DataError:
        # Where an executor lacks a file, that says more than what the job met.
        found = preflight.visit(context, _local(asked, storage), None, 0)
        _print_lines(table(found, bound))
        _raise(faults(found, bound), [])
        raise
    room = preflight.room(context, [train.images, test.images])
    rehearsal = _rehearsal(asked, train, ends, partitions)
    found = preflight.visit(context, _local(asked, storage), rehearsal, room.needed)
    _print_lines([*table(found, bound), *map(ends_line, ends), room_line(room)])
    output.probe()
    _print_lines(
        [f"output    {output.folder.path} can be written to by the driver; no executor writes there"]
    )
    _raise(faults(found, bound), data_faults(ends))
    _print_lines(["checked   nothing stands in the way; nothing was left behind"])


def _opened(context: Any, storage: Storage, asked: Options, partitions: int) -> tuple[Files, Files]:
    """The files of both sets; DataError where they cannot be read, or do not fit each other."""
    sources = asked.sources()
    with asked.telling_how_to_get_data():
        train = Files.open(context, storage, sources[0], partitions)
        test = Files.open_test(context, storage, sources[1], partitions, train)
    test.refuse_other_width(train)
    return train, test


def _print_lines(lines: Iterable[str]) -> None:
    for line in lines:
        console.print_line(line)


def _raise(obstacles: Sequence[str], wrong: Sequence[str]) -> None:
    """End with the first of what stands in the way, of executors before data, once the others are told."""
    _print_lines([f"problem   {problem}" for problem in [*obstacles, *wrong][1:]])
    if obstacles:
        raise PlatformError(f"--check: {obstacles[0]}")
    if wrong:
        raise DataError(f"--check: {wrong[0]}")


def _rehearsal(asked: Options, train: Files, ends: Sequence[Ends], partitions: int) -> Rehearsal | None:
    """A step as the job would take it on one partition; None where the ends of its data are not as they should be."""
    if any(isinstance(block, csv.LineError) for each in ends for block in (each.first, each.last)):
        return None
    classes = max(2, *(each.classes for each in ends))
    rows = max(1, train.images.bytes // (len(train.images.first_row) + 1))
    recipe = asked.for_replicas(rows, partitions).recipe
    asked.model(train.width, classes, 1.0)  # refused here in one line, not on an executor
    size = cache.row_bytes(train.images) // train.images.dialect.width
    return Rehearsal(recipe, train.width, classes, -(-rows // partitions), size)


def _local(asked: Options, storage: Storage) -> list[str]:
    """The inputs that each machine must have on a disk of its own; patterns are left to Spark."""
    paths = [
        path for source in asked.sources() for path in (source.images, source.labels) if path is not None
    ]
    places = (local_path(path, storage) for path in paths if not set(path) & set("*?[{"))
    return [place for place in places if place is not None]


def table(found: Sequence[Found], bound: int | None) -> list[str]:
    """A line an executor, under a header; `bound` bytes are for its workers, None: what the machine has free."""
    rows = [HEADER, *(_cells(each, bound) for each in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _cells(found: Found, bound: int | None) -> tuple[str, ...]:
    visited, executor, rows = found
    return (
        "?" if executor is None else executor.name,
        *(visited.host, visited.python, visited.numpy, visited.nn, visited.threads),
        "?" if executor is None else str(executor.slots),
        "?" if visited.step is None else format.duration(visited.step),
        _size(_workers(found)),
        _size(visited.free if bound is None else bound),
        _size(rows),
        _size(0 if executor is None else executor.storage),
        "unreadable" if visited.unread else "readable",
    )


def _workers(found: Found) -> int:
    """Bytes that all workers of an executor take together at most; 0: unknown."""
    return 0 if found.executor is None else found.executor.slots * found.visited.worker


def _size(size: int) -> str:
    return format.size(size) if size else "?"


def faults(found: Sequence[Found], bound: int | None) -> list[str]:
    """What about the executors would stop a job, or make its results differ from run to run, a line each."""
    visited = [each.visited for each in found]
    said = [
        f"{each.host} cannot read {path}: put it on every machine, or on a file system that all of them share"
        for each in visited
        for path in each.unread
    ]
    moved = "; a task that moves to another machine may give other last bits"
    for name in ("python", "numpy", "nn"):
        versions = sorted({getattr(each, name) for each in visited})
        if len(versions) > 1:
            said.append(f"executors run different versions of {name}: {', '.join(versions)}{moved}")
    hosts = {each.arithmetic: each.host for each in visited}
    if len(hosts) > 1 and len({each.numpy for each in visited}) == 1:
        names = " and ".join(sorted(hosts.values()))
        said.append(f"the processors or BLAS libraries of {names} round sums differently{moved}")
    return said + _too_little(found, bound)


def data_faults(ends: Sequence[Ends]) -> list[str]:
    """What is wrong with the ends of the data, a line each; what is both ends is said once."""
    said = [
        f"{each.argument}: {file}, line {block.line}{within}: {block}"
        for each in ends
        for block, file, within in zip((each.first, each.last), each.files, ("", _within(each)), strict=True)
        if isinstance(block, csv.LineError)
    ]
    return list(dict.fromkeys(said))


def _within(ends: Ends) -> str:
    """Among which lines those of the last block are counted, unless it is all of its file."""
    return f" of the last {ends.tail:,}" if ends.tail else ""


def _too_little(found: Sequence[Found], bound: int | None) -> list[str]:
    """A line for each executor whose workers would not find the memory that they need."""
    said = []
    for each in found:
        needed, there = _workers(each), each.visited.free if bound is None else bound
        if not there or needed <= there:
            continue
        cure = (
            "give it fewer cores"
            if bound is None
            else "raise spark.executor.memoryOverhead or give it fewer cores"
        )
        said.append(
            f"executor {_cells(each, bound)[0]} on {each.visited.host}: its workers need "
            f"{format.size(needed)}, {format.size(there)} are there beside the heap: {cure}"
        )
    return said


def ends_line(ends: Ends) -> str:
    """What the ends of a text hold."""
    first, last = (
        f"{block.rows:,} rows of {block.width} value{'s' if block.width > 1 else ''}"
        if isinstance(block, PieceEnd)
        else "unreadable"
        for block in (ends.first, ends.last)
    )
    pieces = f"{ends.pieces} piece{'s' if ends.pieces > 1 else ''}"
    return f"data      {ends.argument}: {pieces}; first block {first}, last block {last}"


def room_line(room: Room) -> str:
    """What the rows need of what there is."""
    kept = (
        "in memory"
        if room.needed <= cache.SHARE * room.free
        else "on disk, which is slower; more memory would hold them"
    )
    return (
        f"memory    rows need {format.size(room.needed)}, executors have {format.size(room.free)} for them: "
        f"they are kept {kept}"
    )
