"""What a job would meet on a cluster, as a table, and a line for each thing that would stop it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nn import preview, text
from nn.errors import EnvironmentFault
from nn.options import Options
from nn.spark import checkup
from nn.spark.checkup import Ends, Executor, Room
from nn.spark.output import Output
from nn.spark.reading import Files
from nn.spark.storage import Storage, local_path

HEADER = ("host", "process", "python", "numpy", "nn", "BLAS threads", "cores", "memory", "free", "inputs")


def run(context: Any, storage: Storage, output: Output, asked: Options) -> None:
    """Print the table and what follows it.

    Raises EnvironmentFault, with the first reason, after all that could be learnt, where a job would not run well.
    """
    partitions = asked.for_cluster(context.defaultParallelism).pieces
    sources = asked.sources()
    train = Files.open(context, storage, sources[0], partitions)
    test = Files.open_test(context, storage, sources[1], partitions, train)
    images = [train.images, test.images]
    paths = [path for source in sources for path in (source.images, source.labels) if path is not None]
    executors = checkup.visit(context, _local(paths, storage))
    print("\n".join(table(executors)), flush=True)
    ends = [checkup.ends(each) for each in images]
    for line in (*map(ends_line, ends), room_line(checkup.room(context, images))):
        print(line, flush=True)
    output.probe()
    print(f"output    {output.folder.path} can be written to", flush=True)
    problems = faults(executors, ends)
    for problem in problems[1:]:
        print(f"problem   {problem}", flush=True)
    if problems:
        raise EnvironmentFault(f"--check: {problems[0]}")
    print("checked   nothing stands in the way; nothing was left behind", flush=True)


def _local(paths: Sequence[str], storage: Storage) -> list[str]:
    """Those that each machine must have on a disk of its own; patterns are left to Spark."""
    places = (local_path(path, storage) for path in paths if not set(path) & set("*?[{"))
    return [place for place in places if place is not None]


def table(executors: Sequence[Executor]) -> list[str]:
    """A line an executor, under a header."""
    rows = [HEADER, *map(_cells, executors)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _cells(executor: Executor) -> tuple[str, ...]:
    *about, memory, free, unread = executor
    sizes = (preview.bytes_of(size) if size else "unknown" for size in (memory, free))
    return (*map(str, about), *sizes, "unreadable" if unread else "readable")


def faults(executors: Sequence[Executor], ends: Sequence[Ends]) -> list[str]:
    """What would stop a job, or make its results differ from run to run, a line each."""
    found = [
        f"{each.host} cannot read {path}: put it on every machine, or on a file system that all of them share"
        for each in executors
        for path in each.unread
    ]
    for name in ("python", "numpy", "nn"):
        versions = sorted({getattr(each, name) for each in executors})
        if len(versions) > 1:
            found.append(
                f"executors run different versions of {name}: {', '.join(versions)}; a task that moves to "
                "another machine may give other last bits"
            )
    for each in ends:
        for where, block in (("first", each.first), ("last", each.last)):
            if isinstance(block, text.Fault):
                found.append(
                    f"{each.argument}: {where} block: expected {block.expected}, found {block.found}"
                )
    return found


def ends_line(ends: Ends) -> str:
    """What the ends of a set hold."""
    first, last = (
        "unreadable" if isinstance(block, text.Fault) else f"{block[0]:,} rows of {block[1]} values"
        for block in (ends.first, ends.last)
    )
    return f"data      {ends.argument}: {ends.pieces} pieces; first block {first}, last block {last}"


def room_line(room: Room) -> str:
    """What the rows need of what there is."""
    kept = (
        "in memory"
        if room.needed <= room.free / 2
        else "on disk, which is slower; more memory would hold them"
    )
    return (
        f"memory    rows need {preview.bytes_of(room.needed)}, executors have {preview.bytes_of(room.free)} for them: "
        f"they are kept {kept}"
    )
