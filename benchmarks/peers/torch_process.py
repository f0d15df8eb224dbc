"""PyTorch in one process on all cores: tensors in memory, an index of each mini-batch, no loader between.

python -m benchmarks.peers.torch_process --data data --threads 2
"""

from __future__ import annotations

import argparse
import importlib
import time
from typing import Any

from . import contract, digits, memory, torch_perceptron

PEER = "torch_process"
BLOCK = 1024  # rows that a pass over all rows takes at a time; larger ones were no faster


def main(args: argparse.Namespace) -> contract.Answer:
    """Load, train."""
    torch: Any = importlib.import_module("torch")
    torch.set_num_threads(args.threads or args.cores)
    torch.set_flush_denormal(True)  # before the threads start, which inherit it; JAX does so by itself
    torch.manual_seed(args.seed)
    cross_entropy = torch.nn.functional.cross_entropy
    began = time.perf_counter()
    (images, labels), test = (
        torch_perceptron.tensors(*digits.read(args.data, part)) for part in ("train", "test")
    )
    load = time.perf_counter() - began
    model = torch_perceptron.network((images.shape[1], *args.hidden, contract.CLASSES), args.seed)
    descent = torch_perceptron.descent(model, args)

    def by_batches() -> None:
        for batch in torch.randperm(len(labels)).split(args.batch_size):
            descent.zero_grad()
            cross_entropy(model(images[batch]), labels[batch]).backward()
            descent.step()

    def by_all_rows() -> None:
        descent.zero_grad()
        for x, y in zip(images.split(BLOCK), labels.split(BLOCK), strict=True):
            (cross_entropy(model(x), y, reduction="sum") / len(labels)).backward()
        descent.step()

    train = by_batches if args.average == "parameters" else by_all_rows
    lines = contract.epochs(args, train, lambda: torch_perceptron.accuracy(model, *test))
    note = f"{torch.get_num_threads()} threads"
    return contract.Answer(
        PEER, contract.versions("torch", "numpy"), load, lines, memory.of_processes(()), note
    )


def options() -> argparse.ArgumentParser:
    """The common options and this peer's."""
    parser = contract.options("PyTorch in one process.")
    contract.add_average(parser)
    parser.add_argument("--threads", type=int, help="(default: one for each core)")
    return parser


if __name__ == "__main__":
    contract.run(PEER, ("torch", "numpy"), options(), main)
