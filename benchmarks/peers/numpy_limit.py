"""The NumPy limit: the same arithmetic in as many processes as cores, each with its part of the rows, and no Spark.

    python -m benchmarks.peers.numpy_limit --data data --average parameters

Parameters: each process takes its own mini-batches from the common start, and the parent averages parameters and
velocities after each epoch, weighted by rows. Gradients: each process sums its rows' gradients, and the parent takes
one step per epoch. What moves lies in shared memory; pipes carry commands alone.
"""

from __future__ import annotations

import argparse
import os
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

from . import contract

os.environ.update(dict.fromkeys(contract.BLAS_THREADS, "1"))  # before NumPy loads: processes fill the cores

import numpy as np

from . import arithmetic, digits, memory

PEER = "numpy_limit"
BLOCK = 1024  # rows that a pass over all rows takes at a time


class Part:
    """One process's rows, and what it does with them."""

    def __init__(self, arguments: argparse.Namespace, number: int, board: Board):
        self.args, self.number, self.board = arguments, number, board
        self.rng = np.random.default_rng((arguments.seed, number))

    def ready(self) -> None:
        """Answer, once the process is up."""

    def load(self) -> int:
        """Read this part's rows, as often as asked; how many they are."""
        labels = digits.read_labels(self.args.data, "train")
        start, stop = digits.share(len(labels), self.args.cores, self.number)
        images = digits.read_images(self.args.data, "train", start, stop)
        self.images = np.tile(images, (self.args.times, 1))
        self.labels = np.tile(labels[start:stop], self.args.times)
        self.network = arithmetic.Perceptron(self.board.widths, max(BLOCK, self.args.batch_size))
        return len(self.labels)

    def parameters(self) -> None:
        """An epoch of mini-batches from the common parameters; what it ends with goes onto the board."""
        network = self.network
        network.values[:], network.velocity[:] = self.board.common
        arguments = self.args
        network.train(
            self.images,
            self.labels,
            arguments.batch_size,
            arguments.learning_rate,
            arguments.momentum,
            self.rng,
        )
        self.board.own[self.number, 0], self.board.own[self.number, 1] = network.values, network.velocity

    def gradients(self) -> None:
        """The gradients of the common parameters, summed over this part's rows."""
        self.network.values[:] = self.board.common[0]
        self.network.gradients(self.images, self.labels, self.board.own[self.number, 0], BLOCK)


class Board:
    """Shared memory, as arrays: the common parameters and velocities, and each part's own."""

    def __init__(self, widths: tuple[int, ...], parts: int, memory: Any):
        self.widths, self.memory = widths, memory
        values = arithmetic.size(widths)
        everything = np.frombuffer(memory, np.float32).reshape(parts + 1, 2, values)
        self.common, self.own = everything[0], everything[1:]  # (2, values), (parts, 2, values)


def work(arguments: argparse.Namespace, number: int, widths: tuple[int, ...], shared: Any, pipe: Connection):
    """A process: what the parent asks for, until it asks for nothing more."""
    part = Part(arguments, number, Board(widths, arguments.cores, shared))
    while command := pipe.recv():
        pipe.send(getattr(part, command)())


class Team:
    """The processes, one for each core, stopped on leaving."""

    def __init__(self, arguments: argparse.Namespace, widths: tuple[int, ...]):
        spawn = get_context("spawn")  # a fork would share, and so hide, what the parent holds
        shared = spawn.RawArray("f", (arguments.cores + 1) * 2 * arithmetic.size(widths))
        self.board = Board(widths, arguments.cores, shared)
        self.pipes, self.processes = [], []
        for number in range(arguments.cores):
            here, there = spawn.Pipe()
            process = spawn.Process(target=work, args=(arguments, number, widths, shared, there), daemon=True)
            process.start()
            self.pipes.append(here)
            self.processes.append(process)

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *_: Any) -> None:
        for pipe, process in zip(self.pipes, self.processes, strict=True):
            with suppress(BrokenPipeError):  # it ended early, and said why
                pipe.send(None)
            process.join()

    def tell(self, command: str) -> None:
        """Start all processes on the same task."""
        for pipe in self.pipes:
            pipe.send(command)

    def hear(self) -> list[Any]:
        """What each process answers, in their order."""
        return [pipe.recv() for pipe in self.pipes]

    def ask(self, command: str) -> list[Any]:
        """Both, one after the other."""
        self.tell(command)
        return self.hear()


class Training:
    """The parent's half of an epoch."""

    def __init__(self, arguments: argparse.Namespace, team: Team, rows: list[int]):
        self.args, self.team, self.rows = arguments, team, rows
        self.common, self.own = team.board.common, team.board.own

    def parameters(self) -> None:
        """Let all train, then average parameters and velocities."""
        self.team.ask("parameters")
        for kind in (0, 1):
            self.common[kind] = arithmetic.mean(self.own[:, kind], self.rows)

    def gradients(self) -> None:
        """One step with the mean of all rows' gradients."""
        self.team.ask("gradients")
        values, velocity = self.common
        velocity *= np.float32(self.args.momentum)
        velocity -= np.float32(self.args.learning_rate / sum(self.rows)) * self.own[:, 0].sum(axis=0)
        values += velocity


def main(arguments: argparse.Namespace) -> contract.Answer:
    """Start the processes, load, train."""
    first = digits.read_images(arguments.data, "train", 0, 1)
    refuse_what_does_not_fit(len(digits.read_labels(arguments.data, "train")) * arguments.times * first.size)
    widths = (first.size, *arguments.hidden, contract.CLASSES)
    with Team(arguments, widths) as team:
        team.ask("ready")  # a process's start is no loading
        began = time.perf_counter()
        team.tell("load")
        test = digits.read(arguments.data, "test")
        rows = team.hear()
        load = time.perf_counter() - began
        training, tester = Training(arguments, team, rows), arithmetic.Perceptron(widths, BLOCK)
        training.common[0] = arithmetic.start(widths, arguments.seed)

        def accuracy() -> float:
            tester.values[:] = training.common[0]
            return tester.accuracy(*test)

        lines = contract.epochs(arguments, getattr(training, arguments.average), accuracy)
        memory_peaks = memory.of_processes(process.pid for process in team.processes if process.pid)
    return contract.Answer(PEER, contract.versions("numpy"), load, lines, memory_peaks)


def refuse_what_does_not_fit(pixels: int) -> None:
    """Skip where the rows, a byte a pixel, and a copy of them while they are made, need more than is free."""
    needed, free = 1.2 * pixels / 2**20, memory.available()
    if free is not None and needed > free:
        raise contract.Skipped(f"the rows need {needed:,.0f} MB, {free:,.0f} MB are free")


def options() -> argparse.ArgumentParser:
    """The common options and this peer's."""
    parser = contract.options("The same arithmetic in as many processes as cores, without Spark.")
    contract.add_average(parser)
    parser.add_argument("--times", type=int, default=1, help="how often each row is there (default 1)")
    return parser


if __name__ == "__main__":
    contract.run(PEER, ("numpy",), options(), main)
