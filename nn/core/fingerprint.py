"""The last bits that this machine computes: what tells its processor and its NumPy from others.

BLAS and NumPy choose their instructions by the processor they find. Each choice adds in an order of its own, so that
the same program gives other last bits on another kind of machine.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np

ROWS, SUMMANDS = 16, 784  # small enough for BLAS to use one thread, long enough for it to add in parts


@functools.cache
def fingerprint() -> str:
    """Eight letters: the same where training gives the same bits, as far as a few products and functions tell."""
    numbers = np.linspace(-3, 3, 2 * ROWS * SUMMANDS, dtype=np.float32)
    mixed = numbers * (np.arange(numbers.size) * 7919 % 4096 + 1).astype(np.float32)
    one, other = mixed.reshape(2, ROWS, SUMMANDS)
    tried = (one @ other.T, one[:, :64].T @ other[:, :64], one.sum(axis=1), np.exp(numbers), np.tanh(numbers))
    digest = hashlib.sha256()
    for array in tried:
        digest.update(array.tobytes())
    return digest.hexdigest()[:8]
