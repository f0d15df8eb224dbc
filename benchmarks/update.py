"""Time one update of a layer's weights, in one pass over its arrays and in parts (nn/optim/first_order.py).

    OPENBLAS_NUM_THREADS=1 python benchmarks/update.py

prints medians in milliseconds for weights (784, units) in float32.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from nn.optim import RULES, first_order

INPUTS, UNITS, REPEATS = 784, (64, 256, 1024, 2048), 60
PARTS = first_order.PIECE


def main() -> None:
    """Print a Markdown table."""
    print("| rule | units | in one pass | in parts |\n|---|--:|--:|--:|")
    for name in ("momentum", "adam"):
        for units in UNITS:
            whole, parts = (milliseconds(name, units, piece) for piece in (INPUTS * units, PARTS))
            print(f"| {name} | {units:,} | {whole:.2f} ms | {parts:.2f} ms |")


def milliseconds(name: str, units: int, piece: int) -> float:
    """The median time of an update in parts of `piece` numbers."""
    first_order.PIECE = piece
    rng, rule = np.random.default_rng(0), RULES[name]()
    params, grads = ([{"W": rng.random((INPUTS, units), dtype=np.float32)}] for _ in range(2))
    slots, seconds = first_order.fresh_slots(rule, params), []
    for _ in range(REPEATS):
        began = time.perf_counter()
        first_order.descend(rule, 1e-6, None, params, slots, grads, 1.001)
        seconds.append(time.perf_counter() - began)
    return 1000 * statistics.median(seconds)


if __name__ == "__main__":
    main()
