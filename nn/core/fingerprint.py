"""Recognize machines that round differently: a hash of some floating-point results.

BLAS and NumPy choose their instructions by the processor. Each choice adds numbers in a different order, so the same
program may give different last bits on another kind of machine.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np

ROWS, SUMMANDS = 16, 784  # few enough for BLAS to use one thread, enough for it to add in several parts


@functools.cache
def fingerprint() -> str:
    """Hash a few sums, products, exp and tanh to 8 hexadecimal digits: equal on machines that round alike."""
    numbers = np.linspace(-3, 3, 2 * ROWS * SUMMANDS, dtype=np.float32)
    mixed = numbers * (np.arange(numbers.size) * 7919 % 4096 + 1).astype(np.float32)
    one, other = mixed.reshape(2, ROWS, SUMMANDS)
    results = (
        one @ other.T,
        one[:, :64].T @ other[:, :64],
        one.sum(axis=1),
        np.exp(numbers),
        np.tanh(numbers),
    )
    digest = hashlib.sha256()
    for array in results:
        digest.update(array.tobytes())
    return digest.hexdigest()[:8]
