"""A network: its layers in order, losses, metrics, the trained classifier and its file."""

from nn.models.contract import check_loss
from nn.models.losses import LOSSES, Loss

__all__ = ["LOSSES", "Loss", "check_loss"]
