"""Small data sets, and files of them."""

import numpy as np


def blobs(rows, width=16, classes=3, seed=0):
    """Noisy rows around one centre a class: uint8 images (rows, width) that are easy but not trivial to learn."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(99).uniform(40, 215, (classes, width))
    labels = rng.integers(0, classes, rows)
    inputs = centres[labels] + rng.normal(0, 40, (rows, width))
    return np.clip(inputs, 0, 255).astype(np.uint8), labels


def write_csv(path, values, separator=","):
    """Whole numbers (n, d) or (n,) as text lines."""
    values = np.atleast_2d(values.T).T
    path.write_text("".join(separator.join(map(str, row)) + "\n" for row in values.tolist()))
    return str(path)
