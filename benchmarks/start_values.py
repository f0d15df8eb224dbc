"""Which start values and which growth suit Bold Driver: the table of benchmarks/results/README.md, without Spark.

    python benchmarks/start_values.py data

prints test accuracies for seeds 0 to 2 after 100 epochs at defaults; about a minute a line.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from nn.data.encoding import SharedScale
from nn.data.local_rdd import local_rdd
from nn.data.split import Split
from nn.layers import Dense, Sigmoid, layer_from_config
from nn.models.losses import HalfSquaredError
from nn.models.sequential import Sequential
from nn.optim.first_order import FirstOrder
from nn.optim.optimizer import accepted_params
from nn.optim.rules import SGD
from nn.optim.schedules import BoldDriver
from nn.training.backend import Task
from nn.training.local import LocalBackend
from nn.training.plan import Plan
from nn.training.recipe import Recipe
from nn.training.records import Progress
from nn.training.run import TrainingRun

# (activation, gain of the hidden layer, gain of the output layer, output biases at the log-odds of a class, growth)
CASES = [
    ("sigmoid", 1.5, 3.0, False, 1.2),
    ("sigmoid", 1.5, 3.0, True, 1.2),
    ("sigmoid", 1.5, 1.0, True, 1.2),
    ("sigmoid", 1.5, 3.0, True, 1.1),
    ("sigmoid", 3.0, 3.0, True, 1.1),
    ("sigmoid", 3.0, 3.0, True, 1.2),
    ("tanh", 1.0, 1.0, False, 1.2),
    ("tanh", 1.0, 1.0, True, 1.2),
]


def main(folder: str) -> None:
    """Run every case."""
    inputs, labels = load(folder, "train")
    test = load(folder, "test")
    blocks = local_rdd(inputs, labels)
    for case in CASES:
        accuracies = [accuracy(blocks, len(labels), test, case, seed) for seed in range(3)]
        print(*case, " ".join(f"{each:.4f}" for each in accuracies), flush=True)


def load(folder: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images (n, d) and labels (n,) of compact CSV files."""
    images = np.loadtxt(f"{folder}/mnist_images_{part}.csv", np.int32, delimiter=",").astype(np.uint8)
    return images, np.loadtxt(f"{folder}/mnist_labels_{part}.csv", int)


def accuracy(blocks, rows, test, case, seed) -> float:
    """Test accuracy of the last point that stood."""
    activation, hidden_gain, output_gain, log_odds, growth = case
    layers = (Dense(64, gain=hidden_gain), layer_from_config({"name": activation}))
    model = Sequential(
        (*layers, Dense(10, gain=output_gain), Sigmoid()),
        (784,),
        HalfSquaredError(),
        encoder=SharedScale(255.0),
    )
    params = model.init(seed)
    if log_odds:
        params[2]["b"][:] = -np.log(9.0)
    descent = FirstOrder(SGD(), BoldDriver(growth=growth))
    plan = Plan(rows, epochs=100, sample=0.7, seed=seed)
    run = TrainingRun(Task(model), Split(rows), plan, descent, Recipe())
    *_, last = run.epochs(LocalBackend(blocks), Progress(descent.init(params)))
    return float(np.mean(model.predict(accepted_params(last.state), test[0]) == test[1]))


if __name__ == "__main__":
    main(sys.argv[1])
