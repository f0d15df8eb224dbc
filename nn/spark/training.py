"""Run the chain on a cluster: one job measures one trial."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nn import chain
from nn.model import Sequential
from nn.records import Draw, Tally


def measure_on(blocks: Any, model: Sequential, augmentation: tuple = ()) -> Callable[[Any, Draw], Tally]:
    """A function (params, draw) -> Tally: parameters go out by broadcast, sums come back in partition order."""
    context = blocks.context

    def measure(params: Any, draw: Draw) -> Tally:
        context.setJobDescription(describe(draw))
        broadcast = context.broadcast(params)
        try:
            return chain.run(blocks, model, broadcast, draw, augmentation)
        finally:
            broadcast.destroy()  # unpersist would leave a copy on the driver's disk for each step

    return measure


def describe(draw: Draw) -> str:
    """What Spark's web page calls the job."""
    if draw.validation_only:
        return f"epoch {draw.epoch}: cost of the validation rows"
    if draw.fraction == 0:
        return f"epoch {draw.epoch}: cost of all rows"
    if draw.batch is None:
        return f"epoch {draw.epoch}: gradients"
    return f"epoch {draw.epoch}: gradients of batch {draw.batch + 1}"
