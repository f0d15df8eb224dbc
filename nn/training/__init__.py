"""The epoch loop: the chain of map stages, replicas, recipes, evaluation, training in memory."""

from nn.training.backend import Backend
from nn.training.contract import check_backend

__all__ = ["Backend", "check_backend"]
