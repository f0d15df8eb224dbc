"""Add a penalty to what a job has measured: to the loss of every row, and to the gradients."""

from __future__ import annotations

from functools import partial

from nn.core.tree import Tree
from nn.optim.regularization import Penalty
from nn.training.loop import Measure
from nn.training.records import RowSelection, Sums


def measure_with(penalty: Penalty, measure: Measure) -> Measure:
    """Return `measure` with the penalty in every row's loss, and the gradients to match."""
    return partial(_measured, penalty, measure) if penalty else measure


def _measured(penalty: Penalty, measure: Measure, params: Tree, selection: RowSelection) -> Sums:
    sums = measure(params, selection)
    return with_cost(penalty, params, with_gradient(penalty, params, sums)) if penalty else sums


def with_cost(penalty: Penalty, params: Tree, sums: Sums) -> Sums:
    """Return the sums with the penalty of the parameters in every row's loss."""
    if not penalty:
        return sums
    value = penalty.value(params)
    return sums._replace(train=sums.train.with_penalty(value), validation=sums.validation.with_penalty(value))


def with_gradient(penalty: Penalty, params: Tree, sums: Sums) -> Sums:
    """Return the sums with the penalty's gradient in theirs, as every row that sent one carries it."""
    if sums.grads is None or not penalty:
        return sums
    return sums._replace(grads=penalty.add_gradient(params, sums.grads, sums.weight))
