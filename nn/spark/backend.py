"""Run the chain on a cluster: one job measures one trial, or sends every replica on one round."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from nn.core import tree
from nn.data.local_rdd import LocalBroadcast
from nn.models.sequential import Sequential
from nn.optim.parameter_averaging import Round
from nn.optim.regularization import Penalty
from nn.spark.aggregate import total_of
from nn.spark.runtime.broadcast import broadcast
from nn.training import chain, replicas
from nn.training.loop import Descend, Measure, Plan
from nn.training.records import RowSelection, Sums

TRIED = 16  # jobs, by which their time is told: the first takes twice as long as the sixteenth
LITTLE = 1024  # bytes of a tally without a nest
# Bytes of parameters that travel inside the tasks; beyond 1 MB PySpark would broadcast them itself.
INLINE = 512 << 10


def measure_on(blocks: Any, model: Sequential, augmentation: tuple = ()) -> Measure:
    """A function (params, draw) -> Sums: parameters go out to every task, sums come back in partition order."""

    def measure(params: Any, selection: RowSelection) -> Sums:
        size = tree.bytes_of(params)
        total = partial(total_of, size=size if selection.fraction else LITTLE)
        blocks.context.setJobDescription(describe(selection))
        with _handed_out(blocks.context, params, size) as handle:
            return chain.run(blocks, model, handle, selection, augmentation, total)

    return measure


def descend_on(
    blocks: Any, model: Sequential, augmentation: tuple = (), penalty: Penalty | None = None
) -> Descend:
    """A function (round, draw) -> Sums: every partition of the blocks is a replica."""

    def descend(told: Round, selection: RowSelection) -> Sums:
        size = tree.bytes_of([told.params, told.slots])
        blocks.context.setJobDescription(describe(selection, replicas=True))
        with _handed_out(blocks.context, told, size) as start:
            rounds = replicas.rounds(blocks, model, start, selection, augmentation, penalty or Penalty())
            return total_of(rounds, size)

    return descend


def seconds_per_batch(measure: Measure, params: Any, plan: Plan) -> float:
    """Measure the time of a mini-batch's job: the shortest of a few, since the first ones of a JVM are slow."""
    batch = RowSelection(plan.seed, 1, plan.sample, batch=0, batches=plan.jobs, total=plan.rows)
    seconds = []
    for _ in range(TRIED):
        began = time.perf_counter()
        measure(params, batch)
        seconds.append(time.perf_counter() - began)
    return min(seconds)


@contextmanager
def _handed_out(context: Any, value: Any, size: int) -> Iterator[Any]:
    """A handle through which tasks read a value of `size` bytes: it travels in their code if small, else by broadcast.

    A broadcast is a file on the driver, one a worker, and some calls between Python and the JVM: 10 ms, a fifth of a
    short job. Spark sends the code of a stage's tasks once to each executor anyway.
    """
    if size <= INLINE:
        yield LocalBroadcast(value)
        return
    handle = broadcast(context, value)
    try:
        yield handle
    finally:
        handle.destroy()  # unpersist would leave a copy on the driver's disk for each step


def describe(selection: RowSelection, replicas: bool = False) -> str:
    """What Spark's web page calls the job."""
    if selection.validation_only:
        what = "cost of the validation rows"
    elif selection.fraction == 0:
        what = "cost of all rows"
    else:
        what = "replicas" if replicas else "gradients"
        if selection.batch is not None and selection.batches > 1:
            what += f", {'round' if replicas else 'batch'} {selection.batch + 1} of {selection.batches}"
    return f"epoch {selection.epoch}: {what}"
