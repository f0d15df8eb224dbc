"""Add a penalty to what a job has measured: to the loss of every row, and to the gradients."""

from __future__ import annotations

from functools import partial

from nn.core.tree import Tree
from nn.optim.regularization import Penalty
from nn.training.loop import Measure
from nn.training.records import Draw, Tally


def measure_with(penalty: Penalty, measure: Measure) -> Measure:
    """Return `measure` with the penalty in every row's loss, and the gradients to match."""
    return partial(_measured, penalty, measure) if penalty else measure


def _measured(penalty: Penalty, measure: Measure, params: Tree, draw: Draw) -> Tally:
    tally = measure(params, draw)
    return with_cost(penalty, params, with_gradient(penalty, params, tally)) if penalty else tally


def with_cost(penalty: Penalty, params: Tree, tally: Tally) -> Tally:
    """Return the sums with the penalty of the parameters in every row's loss."""
    if not penalty:
        return tally
    value = penalty.value(params)
    return tally._replace(
        train=tally.train.with_penalty(value), validation=tally.validation.with_penalty(value)
    )


def with_gradient(penalty: Penalty, params: Tree, tally: Tally) -> Tally:
    """Return the sums with the penalty's gradient in theirs, as every row that sent one carries it."""
    if tally.grads is None or not penalty:
        return tally
    return tally._replace(grads=penalty.add_gradient(params, tally.grads, tally.weight))
