"""Random numbers as pure functions of (seed, purpose, epoch, row): the same on every worker and in every retry.

They do not depend on how the rows are partitioned. They are vectorized hashes of the row numbers: one generator per row
would take a hundred times as long.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

# Each purpose has its own number, so that its random numbers are independent of the others.
# 1 is for the initial weights, in nn/models/sequential.py.
SAMPLE, BATCHES, VALIDATION, LAYERS, AUGMENTATION = 2, 3, 4, 5, 6
SHUFFLE, REPLICAS, TEST, PICTURE = 7, 8, 9, 10

_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MASK = 0xFFFFFFFFFFFFFFFF


class Key(NamedTuple):
    """The seed of one use of random numbers: a sequence of integers.

    A part of that use takes a longer key (`child`), so that no two parts share their random numbers.
    """

    numbers: tuple[int, ...]

    def child(self, number: int) -> Key:
        """Return the key of part `number`, such as one layer of a network."""
        return Key((*self.numbers, number))

    def generator(self) -> np.random.Generator:
        """Return a new generator that depends on the key alone."""
        return np.random.Generator(np.random.SFC64(_key(*self.numbers)))


def uniform(seed: int, purpose: int, epoch: int, rows: np.ndarray) -> np.ndarray:
    """Draw a number in [0, 1) for each row number (n,), float64, by splitmix64 (Steele, Lea and Flood, 2014)."""
    x = rows.astype(np.uint64)
    x *= np.uint64(_GOLDEN)
    x += np.uint64(_key(seed, purpose, epoch))
    return (_mix_inplace(x) >> np.uint64(11)) * 2.0**-53


def uniforms(key: Key, rows: np.ndarray, count: int) -> np.ndarray:
    """Draw `count` numbers in [0, 1) for each row number (n,), (n, count) float64.

    Each row has its own stream of splitmix64, which starts at a hash of (key, row). A smaller `count` gives the first
    numbers of a larger one.
    """
    starts = rows.astype(np.uint64)
    starts *= np.uint64(_GOLDEN)
    starts += np.uint64(_key(*key.numbers))
    x = _mix_inplace(starts)[:, None] + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(_GOLDEN)
    return (_mix_inplace(x) >> np.uint64(11)) * 2.0**-53


def sample(seed: int, epoch: int, rows: np.ndarray, fraction: float) -> np.ndarray:
    """Return which of the rows (n,) are in the epoch's random sample, (n,) bool."""
    return uniform(seed, SAMPLE, epoch, rows) < fraction


def batch_rows(seed: int, epoch: int, batch: int, total: int, batches: int) -> np.ndarray:
    """Return the rows of mini-batch number `batch`, (n,) ascending: all `total` rows, shuffled each epoch, are in one.

    Batch sizes differ by at most one. A last batch of a single row would make a step of full size in the direction
    of that row's gradient.
    """
    first, end = (-(-total * number // batches) for number in (batch, batch + 1))
    return np.sort(row_at(seed, BATCHES, epoch, np.arange(first, end), total))


def batch_count(total: int, batch_size: int | None) -> int:
    """Return the number of batches of at most `batch_size` rows for `total` rows; 1 without a size."""
    return 1 if batch_size is None else max(1, -(-total // batch_size))


def hashes(numbers: np.ndarray) -> np.ndarray:
    """Return a hash of 64 bits of each whole number (...), uint64; distinct numbers have distinct ones."""
    return _mix_inplace(numbers.astype(np.uint64) + np.uint64(_GOLDEN))


def permutation(seed: int, purpose: int, epoch: int, rows: np.ndarray, total: int) -> np.ndarray:
    """Return the position of each row (n,) in a random permutation of 0..total-1, (n,) int64.

    Four keyed rounds of add, multiply by an odd number and xor-shift permute the numbers of b bits, the smallest b for
    which 2^b >= total. A row that lands outside goes through the rounds again until it lands inside (cycle walking,
    Black and Rogaway, 2002). Raises ValueError for rows outside 0..total-1.
    """
    mask, fold = _width(total)

    def permute(x: np.ndarray) -> np.ndarray:
        for key, factor in _rounds(seed, purpose, epoch):
            x = (x + np.uint64(key)) * np.uint64(factor) & mask
            x ^= x >> fold
        return x

    return _walked(permute, rows, total)


def row_at(seed: int, purpose: int, epoch: int, positions: np.ndarray, total: int) -> np.ndarray:
    """Return the row at each position (n,) of the permutation, (n,) int64: its inverse.

    An xor-shift by half the bits or more is its own inverse; an odd factor has one modulo 2^64. Raises ValueError for
    positions outside 0..total-1.
    """
    mask, fold = _width(total)
    inverse = [(key, pow(factor, -1, _MASK + 1)) for key, factor in _rounds(seed, purpose, epoch)[::-1]]

    def invert(x: np.ndarray) -> np.ndarray:
        for key, factor in inverse:
            x ^= x >> fold
            x = (x * np.uint64(factor) - np.uint64(key)) & mask
        return x

    return _walked(invert, positions, total)


def _width(total: int) -> tuple[np.uint64, np.uint64]:
    """Return a mask of the bits that the numbers below `total` have, and the xor-shift."""
    bits = max(int(total - 1).bit_length(), 2)
    return np.uint64((1 << bits) - 1), np.uint64((bits + 1) // 2)


def _rounds(seed: int, purpose: int, epoch: int) -> list[tuple[int, int]]:
    """Return the summand and the factor of each round."""
    return [
        (_key(seed, purpose, epoch, 2 * turn), _key(seed, purpose, epoch, 2 * turn + 1) | 1)
        for turn in range(4)
    ]


def _walked(function: Callable[[np.ndarray], np.ndarray], numbers: np.ndarray, total: int) -> np.ndarray:
    """Apply a permutation of more numbers to each number (n,), again and again until it lands below `total`."""
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < total:  # the loop would not end
        raise ValueError(f"expected rows from 0 to {total - 1}, got {numbers.min()} to {numbers.max()}")
    found = numbers.astype(np.uint64)
    outside = np.arange(len(found))
    while len(outside):
        x = function(found[outside])
        found[outside] = x
        outside = outside[x >= np.uint64(total)]
    return found.astype(np.int64)


def _key(*numbers: int) -> int:
    """Hash integers to 64 bits."""
    key = 0
    for number in numbers:
        key = (key + (number & _MASK) + 1) * _GOLDEN & _MASK
        key = (key ^ key >> 30) * _FIRST & _MASK
        key = (key ^ key >> 27) * _SECOND & _MASK
        key ^= key >> 31
    return key


def _mix_inplace(x: np.ndarray) -> np.ndarray:
    """Apply the finalizer of splitmix64, as in `_key`: every bit of x influences every bit of the result."""
    x ^= x >> np.uint64(30)
    x *= np.uint64(_FIRST)
    x ^= x >> np.uint64(27)
    x *= np.uint64(_SECOND)
    x ^= x >> np.uint64(31)
    return x
