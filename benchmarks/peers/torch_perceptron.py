"""The perceptron in PyTorch: relu after each hidden layer, from the start values that the NumPy limit has."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import arithmetic, digits


def network(widths: Sequence[int], seed: int) -> Any:
    """A torch.nn.Sequential that gives logits."""
    torch: Any = importlib.import_module("torch")
    modules: list[Any] = []
    for W, b in arithmetic.layers(arithmetic.start(widths, seed), widths):
        linear = torch.nn.Linear(*W.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(W.T)))
            linear.bias.copy_(torch.from_numpy(b))
        modules += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def descent(model: Any, args: argparse.Namespace) -> Any:
    """Momentum in one fused call a step, the fastest of torch's forms here."""
    torch: Any = importlib.import_module("torch")
    return torch.optim.SGD(model.parameters(), lr=args.learning_rate, momentum=args.momentum, fused=True)


def tensors(images: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
    """Images (n, d) float32 in 0..1 and labels (n,)."""
    torch: Any = importlib.import_module("torch")
    return torch.from_numpy(digits.scaled(images)), torch.from_numpy(labels)


def accuracy(model: Any, images: Any, labels: Any) -> float:
    """Share of the rows (n, d) whose largest logit is the label's."""
    torch: Any = importlib.import_module("torch")
    with torch.no_grad():
        return int((model(images).argmax(1) == labels).sum()) / len(labels)
