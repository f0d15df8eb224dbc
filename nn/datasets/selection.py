"""Select classes: keep the rows of the named classes, renumbered 0..k-1 in the order of their names."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nn.datasets.errors import DataError

HIGHEST_CLASS = 255  # labels are unsigned bytes in IDX files


def parse_digits(text: str) -> tuple[int, ...]:
    """Read '3,8' as (3, 8). Raises ValueError unless it is at least two different class numbers of 0..255."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() for word in words):
        raise ValueError(f"expected class numbers separated by commas, like 0,1, found {text!r}")
    digits = tuple(int(word) for word in words)
    if max(digits) > HIGHEST_CLASS:
        raise ValueError(f"expected class numbers in 0..{HIGHEST_CLASS}, found {max(digits)}")
    if len(set(digits)) < len(digits):
        raise ValueError(f"expected each class once, found {text!r}")
    if len(digits) < 2:
        raise ValueError(f"expected at least two classes, found {text!r}")
    return digits


def keep_classes(
    images: np.ndarray, labels: np.ndarray, digits: Sequence[int], part: str
) -> tuple[np.ndarray, np.ndarray]:
    """Keep the rows whose label is in `digits`, in their order. Raises DataError for a class without rows."""
    counts = np.bincount(labels, minlength=HIGHEST_CLASS + 1)
    missing = [digit for digit in digits if counts[digit] == 0]
    if missing:
        present = ", ".join(map(str, np.flatnonzero(counts)))
        raise DataError(f"expected {part} images of class {missing[0]}, found only classes {present}")
    renumbered = np.zeros(HIGHEST_CLASS + 1, np.uint8)
    renumbered[list(digits)] = np.arange(len(digits))
    mask = np.isin(labels, digits)
    return images[mask], renumbered[labels[mask]]
