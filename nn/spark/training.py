"""Run the chain on a cluster: one job measures one trial, or sends every replica on one round."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from nn import chain, replicas, tree
from nn.averaging import Round
from nn.model import Sequential
from nn.penalty import Penalty
from nn.records import Draw, Tally
from nn.spark.summing import total_of
from nn.training import Descend, Measure

LITTLE = 1024  # bytes of a tally without a nest


def measure_on(blocks: Any, model: Sequential, augmentation: tuple = ()) -> Measure:
    """A function (params, draw) -> Tally: parameters go out by broadcast, sums come back in partition order."""

    def measure(params: Any, draw: Draw) -> Tally:
        size = tree.bytes_of(params) if draw.fraction else LITTLE
        with_sum = partial(total_of, size=size)
        return _with_broadcast(
            blocks.context,
            describe(draw),
            params,
            lambda handle: chain.run(blocks, model, handle, draw, augmentation, with_sum),
        )

    return measure


def descend_on(
    blocks: Any, model: Sequential, augmentation: tuple = (), penalty: Penalty | None = None
) -> Descend:
    """A function (round, draw) -> Tally: every partition of the blocks is a replica."""

    def descend(told: Round, draw: Draw) -> Tally:
        size = tree.bytes_of([told.params, told.slots])
        return _with_broadcast(
            blocks.context,
            describe(draw, replicas=True),
            told,
            lambda start: total_of(
                replicas.rounds(blocks, model, start, draw, augmentation, penalty or Penalty()), size
            ),
        )

    return descend


def _with_broadcast(context: Any, description: str, value: Any, job: Callable[[Any], Tally]) -> Tally:
    context.setJobDescription(description)
    handle = context.broadcast(value)
    try:
        return job(handle)
    finally:
        handle.destroy()  # unpersist would leave a copy on the driver's disk for each step


def describe(draw: Draw, replicas: bool = False) -> str:
    """What Spark's web page calls the job."""
    if draw.validation_only:
        what = "cost of the validation rows"
    elif draw.fraction == 0:
        what = "cost of all rows"
    else:
        what = "replicas" if replicas else "gradients"
        if draw.batch is not None and draw.batches > 1:
            what += f", {'round' if replicas else 'batch'} {draw.batch + 1} of {draw.batches}"
    return f"epoch {draw.epoch}: {what}"
