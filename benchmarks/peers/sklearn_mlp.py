"""scikit-learn's MLPClassifier, an epoch of mini-batches for each call of partial_fit, NumPy's BLAS on all cores.

python -m benchmarks.peers.sklearn_mlp --data data
"""

from __future__ import annotations

import importlib
import time
from argparse import Namespace
from typing import Any

import numpy as np

from . import contract, digits, memory

PEER = "sklearn_mlp"


def main(args: Namespace) -> contract.Answer:
    """Load, train."""
    began = time.perf_counter()
    (images, labels), (test_images, test_labels) = (
        digits.read(args.data, part) for part in ("train", "test")
    )
    images, test_images = digits.scaled(images), digits.scaled(test_images)
    load = time.perf_counter() - began
    model = classifier(args)

    def train() -> None:
        model.partial_fit(images, labels, classes=np.arange(contract.CLASSES))

    lines = contract.epochs(args, train, lambda: (model.predict(test_images) == test_labels).mean())
    return contract.Answer(
        PEER, contract.versions("scikit-learn", "numpy"), load, lines, memory.of_processes(())
    )


def classifier(args: Namespace) -> Any:
    """The same recipe in scikit-learn's words: no weight decay, momentum without Nesterov's look ahead."""
    networks: Any = importlib.import_module("sklearn.neural_network")
    return networks.MLPClassifier(
        hidden_layer_sizes=args.hidden,
        activation="relu",
        solver="sgd",
        alpha=0.0,
        batch_size=args.batch_size,
        learning_rate="constant",
        learning_rate_init=args.learning_rate,
        momentum=args.momentum,
        nesterovs_momentum=False,
        random_state=args.seed,
    )


if __name__ == "__main__":
    contract.run(PEER, ("sklearn", "numpy"), contract.options("scikit-learn's MLPClassifier."), main)
