"""Decide which rows take part, as a pure function of (seed, purpose, epoch, row).

A worker, a retry or another partitioning draws the same rows. The draws are vectorised hashes of the row
numbers: a generator for each row would cost a hundred times as much.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

# Purpose numbers keep draws for different ends apart; 1 opens the start values' keys in nn/models/sequential.py.
SAMPLE, BATCHES, VALIDATION, LAYERS, AUGMENTATION = 2, 3, 4, 5, 6
SHUFFLE, REPLICAS = 7, 8

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MASK = 0xFFFFFFFFFFFFFFFF


class Key(NamedTuple):
    """Names one place of chance: all that a draw depends on, as whole numbers.

    A key handed down grows by a number a level (`child`), so that no two places share one.
    """

    numbers: tuple[int, ...]

    def child(self, number: int) -> Key:
        """The key of one of the places inside this one."""
        return Key((*self.numbers, number))

    def generator(self) -> np.random.Generator:
        """The generator that belongs to this place."""
        return np.random.Generator(np.random.SFC64(_key(*self.numbers)))


def uniform(seed: int, purpose: int, epoch: int, rows: np.ndarray) -> np.ndarray:
    """One number in [0, 1) for each row number (n,), float64; splitmix64 (Steele, Lea and Flood, 2014)."""
    x = rows.astype(np.uint64)
    x *= np.uint64(_GOLDEN)
    x += np.uint64(_key(seed, purpose, epoch))
    return (_mixed(x) >> np.uint64(11)) * 2.0**-53


def uniforms(key: Key, rows: np.ndarray, count: int) -> np.ndarray:
    """`count` numbers in [0, 1) for each row number (n,), (n, count) float64; fewer are the first of more.

    Each row has a stream of splitmix64 of its own, which starts at a hash of (key, row).
    """
    starts = rows.astype(np.uint64)
    starts *= np.uint64(_GOLDEN)
    starts += np.uint64(_key(*key.numbers))
    x = _mixed(starts)[:, None] + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    return (_mixed(x) >> np.uint64(11)) * 2.0**-53


def sample(seed: int, epoch: int, rows: np.ndarray, fraction: float) -> np.ndarray:
    """Which of the rows (n,) are in the epoch's random fraction, (n,) bool."""
    return uniform(seed, SAMPLE, epoch, rows) < fraction


def batch_numbers(seed: int, epoch: int, rows: np.ndarray, total: int, batches: int) -> np.ndarray:
    """The mini-batch of each row, (n,): a fresh shuffle of all `total` rows, cut into so many batches.

    They are as even as can be: a last batch of the one row that is left over would take a step as large as any other,
    along the gradient of that row alone.
    """
    return permutation(seed, BATCHES, epoch, rows, total) * batches // max(total, 1)


def batch_count(total: int, batch_size: int | None) -> int:
    """The fewest batches of `batch_size` rows at most that hold `total` rows; one without a size."""
    return 1 if batch_size is None else max(1, -(-total // batch_size))


def permutation(seed: int, purpose: int, epoch: int, rows: np.ndarray, total: int) -> np.ndarray:
    """Where each row (n,) stands in an epoch's random order of 0..total-1; no two rows stand together.

    Four keyed rounds of add, multiply by an odd number and fold permute the numbers of b bits, the fewest
    that hold `total`. A row sent beyond the end walks on until it lands inside (cycle walking, Black and
    Rogaway, 2002), which leaves a permutation of exactly 0..total-1.
    """
    if len(rows) and not 0 <= rows.min() <= rows.max() < total:  # such a row would walk for ever
        raise ValueError(f"expected rows from 0 to {total - 1}, got {rows.min()} to {rows.max()}")
    bits = max(int(total - 1).bit_length(), 2)
    mask, fold = np.uint64((1 << bits) - 1), np.uint64((bits + 1) // 2)
    keys = [_key(seed, purpose, epoch, 2 * turn) for turn in range(4)]
    factors = [_key(seed, purpose, epoch, 2 * turn + 1) | 1 for turn in range(4)]
    places = rows.astype(np.uint64)
    walking = np.arange(len(places))
    while len(walking):
        x = places[walking]
        for key, factor in zip(keys, factors, strict=True):
            x = (x + np.uint64(key)) * np.uint64(factor) & mask
            x ^= x >> fold
        places[walking] = x
        walking = walking[x >= np.uint64(total)]
    return places.astype(np.int64)


def _key(*numbers: int) -> int:
    """Hash a few whole numbers to 64 bits."""
    key = 0
    for number in numbers:
        key = (key + (number & _MASK) + 1) * _GOLDEN & _MASK
        key = (key ^ key >> 30) * _FIRST & _MASK
        key = (key ^ key >> 27) * _SECOND & _MASK
        key ^= key >> 31
    return key


def _mixed(x: np.ndarray) -> np.ndarray:
    """splitmix64's finisher, as in `_key`: every bit in reaches every bit out; x is overwritten."""
    x ^= x >> np.uint64(30)
    x *= np.uint64(_FIRST)
    x ^= x >> np.uint64(27)
    x *= np.uint64(_SECOND)
    x ^= x >> np.uint64(31)
    return x
