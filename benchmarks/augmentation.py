"""Time augmentation on one core, a kind at a time and several together, in blocks of 1,000 rows as in training.

    python benchmarks/augmentation.py [data]

prints medians in seconds for 60,000 images of 28 by 28, on the clock and of the processor (they differ where others
share it). With the folder that generate_data.py writes the images are its first rows, over and over; else noise.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from nn.core.spec import parse_list
from nn.data.augmentation import AUGMENTATIONS, augment

ROWS, BLOCK, REPEATS = 60_000, 1000, 7
CASES = [
    "shift:2",
    "flip",
    "shift:2,flip",
    "shift:1.5",
    "rotate:10",
    "scale:0.1",
    "elastic:5",
    "shift:2,rotate:10,scale:0.1",
    "shift:2,rotate:10,scale:0.1,elastic:5",
]


def main() -> None:
    """Time every case, the repeats in turn so that a busy minute falls on all alike."""
    parser = argparse.ArgumentParser(description="Time augmentation.")
    parser.add_argument("data", nargs="?", help="folder with the CSV files of generate_data.py")
    images = some_images(parser.parse_args().data)
    seconds: dict[str, list[tuple[float, float]]] = {case: [] for case in CASES}
    for epoch in range(REPEATS + 1):
        for case in CASES:
            seconds[case].append(timed(case, images, epoch))
    print(f"{'seconds for 60,000 images':<40}{'clock':>8}{'processor':>12}")
    for case, runs in seconds.items():
        clock, processor = (statistics.median(kind) for kind in zip(*runs[1:], strict=True))
        print(f"{case:<40}{clock:>8.2f}{processor:>12.2f}")


def timed(case: str, images: np.ndarray, epoch: int) -> tuple[float, float]:
    """Seconds for all rows, (clock, processor)."""
    steps = parse_list(case, AUGMENTATIONS, "augmentation")
    began, used = time.perf_counter(), time.process_time()
    for start in range(0, ROWS, BLOCK):
        augment(steps, images, np.arange(start, start + BLOCK), 0, epoch)
    return time.perf_counter() - began, time.process_time() - used


def some_images(folder: str | None) -> np.ndarray:
    """A block of images, (BLOCK, 28, 28, 1) float32 in 0..1."""
    if folder is None:
        return np.random.default_rng(0).random((BLOCK, 28, 28, 1), dtype=np.float32)
    pixels = np.loadtxt(f"{folder}/mnist_images_train.csv", delimiter=",", dtype=np.float32, max_rows=BLOCK)
    return np.resize(pixels, (BLOCK, 28, 28, 1)) / np.float32(255)


if __name__ == "__main__":
    main()
