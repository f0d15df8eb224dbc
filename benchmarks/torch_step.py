"""Time one training step against PyTorch's, both on one thread of the same process, in turn.

    python benchmarks/torch_step.py
    python benchmarks/torch_step.py --repeats 5

A step is forward, loss, backward and an update by gradient descent with momentum, float32, on random images of 28x28.
Prints the median CPU milliseconds of each, the median of their ratios, and how far their losses are apart after as many
steps from the same start values. Without PyTorch it says so and times this project alone.
"""

from __future__ import annotations

import argparse
import importlib
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")  # before NumPy loads
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from nn.core import spec, tree
from nn.layers import LAYERS, Conv2D, Dense, Flatten, MaxPool2D
from nn.models.losses import CrossEntropy
from nn.models.sequential import Sequential
from nn.optim.first_order import FirstOrder
from nn.optim.rules import Momentum

CONVOLUTIONS = "conv2d:16x5,relu,maxpool2d:2,conv2d:32x5,relu,maxpool2d:2,flatten,dense:128,relu,dense:10"
CASES = [
    (CONVOLUTIONS, (256, 512, 1000)),
    ("dense:64,relu,dense:10", (64, 256, 1000)),
    ("dense:800,relu,dense:10", (64, 256, 1000)),
    ("dense:1024,relu,dense:1024,relu,dense:10", (64, 256, 1000)),
]
RATE, MOMENTUM = 0.01, 0.9


def main() -> None:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description="Time a training step against PyTorch's.")
    parser.add_argument("--repeats", type=int, default=15, help="timed steps of each (default: %(default)s)")
    repeats = parser.parse_args().repeats
    torch = torch_on_one_thread()
    if torch is None:
        print("PyTorch is not installed here; timing this project alone.")
    print(f"{'batch':>5}{'here ms':>10}{'torch ms':>10}{'ratio':>7}{'apart':>9}  layers")
    for words, batches in CASES:
        for batch in batches:
            print(f"{batch:>5}{compared(torch, words, batch, repeats)}  {words}", flush=True)


def torch_on_one_thread() -> Any:
    """PyTorch, or None where it is not installed."""
    try:
        torch: Any = importlib.import_module("torch")
    except ImportError:
        return None
    torch.set_num_threads(1)
    return torch


def compared(torch: Any, words: str, batch: int, repeats: int) -> str:
    """Both steps in turn; medians, their ratio and the distance of the losses."""
    rng = np.random.default_rng(0)
    images = rng.random((batch, 28, 28, 1), dtype=np.float32)
    labels = rng.integers(0, 10, batch)
    layers = spec.parse_list(words, LAYERS, "layer")
    shape = (28, 28, 1) if layers[0].wants_image else (784,)
    model = Sequential(layers, shape, CrossEntropy())
    steps = [step_here(model, images, labels)]
    if torch is not None:
        steps.append(step_torch(torch, model, images, labels))
    seconds: list[list[float]] = [[] for _ in steps]
    for _ in range(repeats + 2):
        for step, taken in zip(steps, seconds, strict=True):
            began = time.process_time()
            step()
            taken.append(time.process_time() - began)
    medians = [1000 * statistics.median(taken[2:]) for taken in seconds]  # the first two warm up
    if torch is None:
        return f"{medians[0]:>10.2f}{'-':>10}{'-':>7}{'-':>9}"
    ratio = statistics.median(
        here / there for here, there in zip(seconds[0][2:], seconds[1][2:], strict=True)
    )
    apart = abs(steps[0]() - steps[1]())
    return f"{medians[0]:>10.2f}{medians[1]:>10.2f}{ratio:>7.2f}{apart:>9.0e}"


def step_here(model: Sequential, images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """A function that takes one step of this project and gives the mean loss."""
    descent = FirstOrder(Momentum(MOMENTUM), learning_rate=RATE)
    x0 = images.reshape(len(images), *model.input_shape)
    state = descent.init(model.init(0))

    def step() -> float:
        nonlocal state
        x, caches, grads = x0, [], []
        dout: Any
        for layer, params in zip(model.layers, state.trial, strict=True):
            x, cache = layer.forward(params, x)
            caches.append(cache)
        loss, dout = model.loss.value_and_grad(x, labels)
        for index in reversed(range(len(model.layers))):
            params, cache = state.trial[index], caches.pop()
            layer_grads, dout = model.layers[index].backward(params, cache, dout, needs_dx=index > 0)
            grads.append(layer_grads)
        state = descent.step(state, tree.scale(grads[::-1], 1 / len(labels)))
        return loss / len(labels)

    return step


def step_torch(torch: Any, model: Sequential, images: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    """The same of PyTorch, from the same start values."""
    network = torch.nn.Sequential(*torch_layers(torch, model))
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)
    rows = images.transpose(0, 3, 1, 2) if len(model.input_shape) == 3 else images.reshape(len(images), -1)
    x, y = torch.tensor(np.ascontiguousarray(rows)), torch.tensor(labels)

    def step() -> float:
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(network(x), y)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def torch_layers(torch: Any, model: Sequential) -> list[Any]:
    """PyTorch's modules for the layers; it lays images out as (c, h, w)."""
    modules: list[Any] = []
    shape = model.input_shape
    image: tuple[int, ...] | None = None  # the shape before flatten, until a dense layer takes its rows
    for layer, values, after in zip(model.layers, model.init(0), model.output_shapes(), strict=True):
        if isinstance(layer, Conv2D):
            module = torch.nn.Conv2d(shape[2], layer.filters, layer.kernel)
            modules.append(filled(torch, module, values["W"].transpose(3, 2, 0, 1), values["b"]))
        elif isinstance(layer, Dense):
            W = dense_weights(values["W"], image)
            modules.append(filled(torch, torch.nn.Linear(*W.shape), W.T, values["b"]))
            image = None
        elif isinstance(layer, MaxPool2D):
            modules.append(torch.nn.MaxPool2d(layer.size))
        elif isinstance(layer, Flatten):
            modules, image = [*modules, torch.nn.Flatten()], shape
        else:
            modules.append(torch.nn.ReLU())
        shape = after
    return modules


def dense_weights(W: np.ndarray, image: tuple[int, ...] | None) -> np.ndarray:
    """W (d, units), its rows put in PyTorch's order where they come from a flattened image (h, w, c)."""
    if image is None:
        return W
    return W.reshape(*image, -1).transpose(2, 0, 1, 3).reshape(W.shape)


def filled(torch: Any, module: Any, W: np.ndarray, b: np.ndarray) -> Any:
    """The module with these values."""
    with torch.no_grad():
        module.weight.copy_(torch.tensor(np.ascontiguousarray(W)))
        module.bias.copy_(torch.tensor(b))
    return module


if __name__ == "__main__":
    main()
