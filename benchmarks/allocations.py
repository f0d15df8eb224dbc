"""What one training step allocates, layer by layer: kept for the way back, and the most held beside that on the way.

    python benchmarks/allocations.py
    python benchmarks/allocations.py --rows 256 --layers "dense:800,relu,dense:10"

Sizes in MB by tracemalloc, which NumPy reports its arrays to. `kept` is what a layer's forward pass leaves (its output
and its cache), `beside` what it held at most beyond that. Backward, `kept` is its dx and gradients.
"""

from __future__ import annotations

import argparse
import os
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")  # before NumPy loads
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from nn.core import spec
from nn.layers import LAYERS
from nn.models.losses import CrossEntropy
from nn.models.sequential import Sequential

CONVOLUTIONS = "conv2d:16x5,relu,maxpool2d:2,conv2d:32x5,relu,maxpool2d:2,flatten,dense:128,relu,dense:10"


def main() -> None:
    """Take one step, measuring each layer both ways."""
    parser = argparse.ArgumentParser(description="What one training step allocates.")
    parser.add_argument("--rows", type=int, default=1000, help="images in the step (default: %(default)s)")
    parser.add_argument("--layers", default=CONVOLUTIONS, help="(default: two convolutions)")
    args = parser.parse_args()
    layers = spec.parse_list(args.layers, LAYERS, "layer")
    model = Sequential(layers, (28, 28, 1) if layers[0].wants_image else (784,), CrossEntropy())
    params, rng = model.init(0), np.random.default_rng(0)
    x: Any = rng.random((args.rows, *model.input_shape), dtype=np.float32)
    labels = rng.integers(0, 10, args.rows)
    tracemalloc.start()
    print(f"{'':<28}{'forward':>16}{'':>10}{'backward':>16}")
    print(f"{'layer':<28}{'kept':>16}{'beside':>10}{'kept':>16}{'beside':>10}   (MB)")
    caches, sizes = [], []
    for layer, values in zip(layers, params, strict=True):
        (x, cache), *size = measured(lambda: layer.forward(values, x))  # noqa: B023 (called at once)
        caches.append(cache)
        sizes.append(size)
    _, dout = model.loss.value_and_grad(x, labels)
    backward: list[list[float]] = []
    for index in reversed(range(len(layers))):
        cache = caches.pop()
        call = lambda: layers[index].backward(params[index], cache, dout, needs_dx=index > 0)  # noqa: B023, E731
        (_, dout), *size = measured(call)
        backward.insert(0, size)
    for layer, (kept, beside), (dx, more) in zip(layers, sizes, backward, strict=True):
        print(f"{layer.short_name:<28}{kept:>16.1f}{beside:>10.1f}{dx:>16.1f}{more:>10.1f}")
    print(f"the most held at any time: {PEAK[0]:.1f} MB")


PEAK = [0.0]


def measured(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """What a call gives, the MB that stay, and the MB that it held beyond these."""
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    result = call()
    after, peak = tracemalloc.get_traced_memory()
    PEAK[0] = max(PEAK[0], peak / 1e6)
    return result, (after - before) / 1e6, (peak - max(after, before)) / 1e6


if __name__ == "__main__":
    main()
