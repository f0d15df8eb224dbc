"""The random numbers of Spark's MultilayerPerceptronClassifier: the same seed gives the same initial weights.

Spark draws them from a 64-bit xorshift generator (Marsaglia, 2003), whose seed is hashed with MurmurHash3 (Appleby).
"""

from __future__ import annotations

import struct

import numpy as np

_MASK, _MASK32 = (1 << 64) - 1, (1 << 32) - 1
_ARRAY_SEED = 0x3C074A61  # of Scala's MurmurHash3
_LOW26, _LOW27 = (1 << 26) - 1, (1 << 27) - 1


def uniform(seed: int, count: int) -> np.ndarray:
    """Return the first numbers in [0, 1) of `new XORShiftRandom(seed)`, (count,) float64."""
    content = struct.pack(">Q", seed & _MASK)
    low = _murmur3(content, _ARRAY_SEED)
    state = _murmur3(content, low) << 32 | low
    high_bits, low_bits = np.empty(count, np.int64), np.empty(count, np.int64)
    for number in range(count):
        state = _next(state)
        high_bits[number] = state & _LOW26
        state = _next(state)
        low_bits[number] = state & _LOW27
    return ((high_bits << 27) + low_bits) * 2.0**-53


def _next(state: int) -> int:
    state ^= state << 21 & _MASK
    state ^= state >> 35
    return state ^ (state << 4 & _MASK)


def _murmur3(content: bytes, seed: int) -> int:
    """Return the 32-bit hash of bytes, as many as a multiple of four."""
    value = seed
    for (word,) in struct.iter_unpack("<I", content):
        word = word * 0xCC9E2D51 & _MASK32
        word = (word << 15 | word >> 17) & _MASK32
        value ^= word * 0x1B873593 & _MASK32
        value = (value << 13 | value >> 19) & _MASK32
        value = (value * 5 + 0xE6546B64) & _MASK32
    value ^= len(content)
    value ^= value >> 16
    value = value * 0x85EBCA6B & _MASK32
    value ^= value >> 13
    value = value * 0xC2B2AE35 & _MASK32
    return value ^ value >> 16
