"""The requests of an optimizer: gradients at a point, or steps that each replica takes by itself."""

from __future__ import annotations

from typing import NamedTuple

from nn.core.tree import Tree
from nn.optim.rules import Rule


class Gradients(NamedTuple):
    """Request the cost of the selected rows at the parameters, and its gradients."""

    params: Tree


class LocalSteps(NamedTuple):
    """Request a round of local SGD: where every replica starts, and how it descends."""

    params: Tree
    slots: Tree  # the state of the rule for each array
    rule: Rule
    rates: tuple[float, ...]  # of the steps of each epoch of the round, one after the other
    clip: float | None
    batch_size: int  # rows of a step at most


class Change(NamedTuple):
    """The answer to LocalSteps: the change of the parameters in a round, and the slots after it."""

    params: Tree
    slots: Tree


Request = Gradients | LocalSteps
