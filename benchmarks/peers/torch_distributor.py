"""PyTorch through Spark's TorchDistributor: local processes, each with its part of the rows, gradients all-reduced.

    python -m benchmarks.peers.torch_distributor --data data

DistributedDataParallel averages the gradients of one mini-batch of each process at every step, so a step learns from as
many mini-batches as there are processes.
"""

from __future__ import annotations

import argparse
import importlib
import os
import time
from pathlib import Path
from typing import Any

from . import contract, digits, memory, sparksession, torch_perceptron

PEER = "torch_distributor"
ROOT = Path(__file__).resolve().parents[2]


def train(args: argparse.Namespace) -> dict[str, Any]:
    """One process's training; what the first one gives comes back to the driver."""
    torch: Any = importlib.import_module("torch")
    distributed: Any = importlib.import_module("torch.distributed")
    parallel: Any = importlib.import_module("torch.nn.parallel")
    torch.set_num_threads(max(1, args.cores // args.processes))
    torch.set_flush_denormal(True)  # before the threads start, which inherit it; JAX does so by itself
    distributed.init_process_group("gloo")
    rank = distributed.get_rank()
    torch.manual_seed(1000 * args.seed + rank)
    began = time.perf_counter()
    every_label = digits.read_labels(args.data, "train")
    start, stop = digits.share(len(every_label), args.processes, rank)
    images, labels = torch_perceptron.tensors(
        digits.read_images(args.data, "train", start, stop), every_label[start:stop]
    )
    test = torch_perceptron.tensors(*digits.read(args.data, "test"))
    distributed.barrier()
    load = time.perf_counter() - began
    widths = (images.shape[1], *args.hidden, contract.CLASSES)
    model = parallel.DistributedDataParallel(torch_perceptron.network(widths, args.seed))
    descent = torch_perceptron.descent(model, args)
    # Every process must take as many steps as the others, or they wait for each other for ever.
    rows = len(every_label) // args.processes

    def epoch() -> None:
        for batch in torch.randperm(len(labels))[:rows].split(args.batch_size):
            descent.zero_grad()
            torch.nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            descent.step()
        distributed.barrier()

    # All processes hold the same parameters after a step, so all find the same accuracy and stop together.
    lines = contract.epochs(args, epoch, lambda: torch_perceptron.accuracy(model, *test))
    peaks: list[Any] = [None] * args.processes
    distributed.all_gather_object(peaks, memory.peak())
    distributed.destroy_process_group()
    return {"load": load, "epochs": lines, "peaks": peaks}


def main(args: argparse.Namespace) -> contract.Answer:
    """Start Spark, let it start the processes."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    os.environ["OMP_NUM_THREADS"] = str(
        max(1, args.cores // args.processes)
    )  # torchrun would say it at length
    with sparksession.session(args) as session:
        from pyspark.ml.torch.distributor import TorchDistributor

        distributor = TorchDistributor(num_processes=args.processes, local_mode=True, use_gpu=False)
        found: Any = distributor.run(train, args)
        memory_peaks = memory.of_spark(session.sparkContext) | memory.together(found["peaks"])
        versions = sparksession.versions(session.sparkContext, "torch", "numpy")
    note = f"{args.processes} processes"
    return contract.Answer(PEER, versions, found["load"], found["epochs"], memory_peaks, note)


def options() -> argparse.ArgumentParser:
    """The common options and this peer's."""
    parser = contract.options("PyTorch through Spark's TorchDistributor.")
    parser.add_argument(
        "--processes", type=int, default=contract.cores(), help="(default: one for each core)"
    )
    return parser


if __name__ == "__main__":
    contract.run(PEER, ("torch", "pyspark", "numpy"), options(), main)
