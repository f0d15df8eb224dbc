"""Run jobs on the rows of a cluster: parameters go out to every task, sums come back in partition order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial, reduce
from operator import add
from typing import Any, NamedTuple

from nn.core import tree
from nn.core.errors import DataError
from nn.data.batches import RowSelection
from nn.data.block import Block
from nn.data.local_rdd import LocalBroadcast, LocalRDD
from nn.data.split import Split
from nn.data.statistics import ColumnStatistics, partition_statistics
from nn.optim.requests import LocalSteps
from nn.spark.aggregate import ordered_sum, ordered_sums, partition_sum
from nn.spark.block_files import BlockFiles, FileMissing
from nn.spark.runtime.broadcast import broadcast
from nn.training.backend import Job, partial_sums, penalized, with_frozen
from nn.training.records import Sums, Times

LITTLE = 1024  # bytes of sums without gradients
# Bytes of parameters that travel inside the tasks; beyond 1 MB PySpark would broadcast them itself.
INLINE = 512 << 10


class SparkBackend:
    """Rows in an RDD of blocks. Each partition is a replica where parameters are averaged."""

    def __init__(
        self,
        blocks: Any,
        cached: Any = None,
        weighted: bool = False,
        source: str = "TRAIN_IMAGES",
        keeps_rows: bool = False,
    ):
        self.blocks = blocks
        self._cached = cached  # the persisted RDD below the blocks
        self.weighted = weighted  # rows have weights of their own
        self._source = source  # the name of the rows in messages
        self._keeps_rows = keeps_rows  # whether the rows stay cached as they were read, for other runs
        self._frozen: dict[int, Frozen] = {}  # of the last pass, by the identity of the weights
        self._files = BlockFiles(blocks)

    def split(self, split: Split) -> None:
        """Hold out validation rows, and weight the others; the result is cached in the place of the rows before it.

        Raises DataError where the training rows, or the validation rows, weigh nothing together.
        """
        if not (split.changes or self.weighted):
            return
        blocks = split.apply(self.blocks)
        with ExitStack() as undo:
            if split.changes:
                blocks = blocks.persist(self._cached.getStorageLevel())
                undo.callback(without_errors, blocks.unpersist)
            blocks.context.setJobDescription(f"dividing {self._source}")
            try:
                split.check(blocks)
            except ValueError as error:
                raise DataError(f"{self._source}: {error}") from None
            undo.pop_all()
        if split.changes and not self._keeps_rows:
            self._cached.unpersist()
        self.blocks, self._files = blocks, BlockFiles(blocks)

    def statistics(self) -> ColumnStatistics:
        """Return the statistics of the columns over the rows that are learned from, added in partition order."""
        self.blocks.context.setJobDescription(f"statistics of {self._source}")
        return reduce(add, self.blocks.mapPartitions(partition_statistics).collect())

    def run(self, jobs: list[Job]) -> list[Sums]:
        """Run jobs in one pass over the rows. The bits of a job do not depend on the jobs beside it."""
        context = self.blocks.context
        rows = self._files.rows()
        context.setJobDescription(describe(jobs))
        self._send_frozen(context, jobs)
        with ExitStack() as stack:
            payloads = [self._handle(job, stack.enter_context(_sent(context, job.learned))) for job in jobs]
            sums = None if rows is None else _sums(rows, jobs, payloads)
            if sums is not None and any(total.unread for total in sums):
                self._files.note_miss()
                sums = None
            if sums is None:
                sums = _sums(self.blocks, jobs, payloads)
                self._files.note_reading(
                    sum(each.times.read for total in sums for each in (*total.earlier, total))
                )
        return [penalized(job, total) for job, total in zip(jobs, sums, strict=True)]

    def release(self) -> None:
        """Remove what jobs have left on the executors, and what was sent to them. No job may follow."""
        self._files.remove()
        while self._frozen:
            self._frozen.popitem()[1].stack.close()

    def _send_frozen(self, context: Any, jobs: list[Job]) -> None:
        """Send the weights of frozen layers once, not for each job; free those that no job of this pass has."""
        wanted = {id(job.objective.frozen): job.objective.frozen for job in jobs if job.objective.frozen}
        for key in self._frozen.keys() - wanted.keys():
            self._frozen.pop(key).stack.close()
        for key in wanted.keys() - self._frozen.keys():
            stack = ExitStack()
            self._frozen[key] = Frozen(wanted[key], stack.enter_context(_sent(context, wanted[key])), stack)

    def _handle(self, job: Job, learned: Any) -> Any:
        """Return a handle of the payload of a job."""
        return (
            Joined(self._frozen[id(job.objective.frozen)].handle, learned)
            if job.objective.frozen
            else learned
        )


def without_errors(free: Callable[[], Any]) -> None:
    """Free something on the cluster. Errors are ignored: a Spark that has ended keeps nothing."""
    with suppress(Exception):
        free()


class Frozen(NamedTuple):
    """The weights of frozen layers on the executors."""

    weights: Any
    handle: Any
    stack: ExitStack  # frees the handle


class Joined(NamedTuple):
    """A handle of the payload of a job whose frozen weights have a handle of their own."""

    frozen: Any
    learned: Any

    @property
    def value(self) -> Any:
        """Return the payload."""
        return with_frozen(self.frozen.value, self.learned.value)


def _sums(blocks: Any, jobs: list[Job], payloads: list[Any]) -> list[Sums]:
    """Run jobs over an RDD of blocks; `payloads` are handles."""
    if len(jobs) == 1:
        return [ordered_sum(partial_sums(blocks, jobs[0], payloads[0]), size_of(jobs[0]))]
    bare = [job.without_payload() for job in jobs]
    numbered = blocks.mapPartitions(partial(run_jobs, bare, payloads))
    return ordered_sums(numbered, [size_of(job) for job in jobs])


def run_jobs(jobs: list[Job], payloads: list[Any], blocks: Iterable[Block]) -> Iterator[tuple[int, Sums]]:
    """Yield the number and the sums of each job over one partition, whose blocks are all in memory meanwhile."""
    began = time.perf_counter()
    try:
        rows = LocalRDD([list(blocks)])
    except FileMissing:
        yield from ((number, Sums(unread=1)) for number in range(len(jobs)))
        return
    reading = Times(read=(time.perf_counter() - began) / len(jobs))  # each job's share
    for number, (job, payload) in enumerate(zip(jobs, payloads, strict=True)):
        for sums in partition_sum(partial_sums(rows, job, payload)):
            yield number, sums._replace(times=sums.times + reading)


def size_of(job: Job) -> int:
    """Return about how many bytes a partition sends."""
    return tree.bytes_of(_arrays_of(job.learned)) if job.selection.fraction else LITTLE


def _arrays_of(payload: Any) -> Any:
    return [payload.params, payload.slots] if isinstance(payload, LocalSteps) else payload


@contextmanager
def _sent(context: Any, payload: Any) -> Iterator[Any]:
    """A handle through which tasks read a payload: it travels in their code if it is small, else by broadcast.

    A broadcast is a file on the driver, one for each worker, and some calls between Python and the JVM: 10 ms, a fifth
    of a short job. Spark sends the code of a stage's tasks once to each executor anyway.
    """
    if tree.bytes_of(_arrays_of(payload)) <= INLINE:
        yield LocalBroadcast(payload)
        return
    handle = broadcast(context, payload)
    try:
        yield handle
    finally:
        handle.destroy()  # unpersist would leave a copy on the driver's disk for each step


def describe(jobs: list[Job]) -> str:
    """Return what Spark's web page calls the jobs."""
    request = jobs[0].request
    name = _name(jobs[0].selection, len(request.rates) if isinstance(request, LocalSteps) else 0)
    return name if len(jobs) == 1 else f"{name}, for {len(jobs)} runs"


def _name(selection: RowSelection, epochs: int) -> str:
    """Return what a job does; `epochs` is how many its replicas go through, 0 where it has none."""
    if selection.validation_only:
        name = "cost of the validation rows"
    elif selection.fraction == 0:
        name = "cost of all rows"
    else:
        name = "replicas" if epochs else "gradients"
        if selection.batch is not None and selection.batches > 1:
            name += f", {'round' if epochs else 'batch'} {selection.batch + 1} of {selection.batches}"
    if epochs > 1:
        return f"epochs {selection.epoch} to {selection.epoch + epochs - 1}: {name}"
    return f"epoch {selection.epoch}: {name}"
