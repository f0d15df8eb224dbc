"""Add a penalty to sums: to the loss of every row, and to the gradients."""

from __future__ import annotations

from nn.core.tree import Tree
from nn.optim.regularization import Penalty
from nn.training.records import Sums


def with_cost(penalty: Penalty, params: Tree, sums: Sums) -> Sums:
    """Return the sums with the penalty of the parameters in the loss of every row."""
    if not penalty:
        return sums
    value = penalty.value(params)
    return sums._replace(train=sums.train.with_penalty(value), validation=sums.validation.with_penalty(value))


def with_gradient(penalty: Penalty, params: Tree, sums: Sums) -> Sums:
    """Return the sums with the gradient of the penalty in theirs, once for every row that the gradients are of."""
    if sums.grads is None or not penalty:
        return sums
    return sums._replace(grads=penalty.add_gradient(params, sums.grads, sums.weight))
