"""The four CSV files of generate_data.py, read in bulk by NumPy: images (n, 784) uint8 and labels (n,)."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

WHITE = 255  # the largest pixel, by which all peers divide


def path(folder: str, kind: str, part: str) -> Path:
    """Where images or labels of `train` or `test` lie."""
    return Path(folder) / f"mnist_{kind}_{part}.csv"


def read_labels(folder: str, part: str) -> np.ndarray:
    """Class numbers, (n,) int64."""
    return np.loadtxt(path(folder, "labels", part), np.int64, ndmin=1)


def read_images(folder: str, part: str, start: int = 0, stop: int | None = None) -> np.ndarray:
    """The rows from `start` to before `stop`, (n, d) uint8."""
    with open(path(folder, "images", part)) as lines:
        return np.loadtxt(itertools.islice(lines, start, stop), np.uint8, delimiter=",", ndmin=2)


def read(folder: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels."""
    return read_images(folder, part), read_labels(folder, part)


def scaled(images: np.ndarray) -> np.ndarray:
    """Pixels as float32 in 0..1."""
    return images / np.float32(WHITE)


def share(rows: int, parts: int, part: int) -> tuple[int, int]:
    """Which of the rows a part holds, (start, stop): consecutive rows, as many as in the others or one more."""
    return rows * part // parts, rows * (part + 1) // parts
