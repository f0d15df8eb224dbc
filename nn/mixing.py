"""Tell whether every replica holds the mix of classes that all rows have together: averaging parameters needs that.

distance    TV_r = 1/2 Σ_j |n_rj / n_r - p_j|,  p_j = n_j / n      (total variation: 0 the same mix, 1 none of it)
by chance   TV_r < 1/2 Σ_j √(p_j (1 - p_j) / n_r) + √(ln(1/δ) / (2 n_r))

for n_r rows drawn at random, all but δ of the times: the first term bounds the mean of TV_r (Jensen), the second what
lies beyond the mean, since one row moves TV_r by 1 / n_r at most (McDiarmid, 1989).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

FALSE_ALARM = 1e-4  # δ: a replica of a file in random order passes for a sorted one at most so often
HARMLESS = 0.1  # a distance up to which the average loses nothing that shows beside another seed's
CRUMB = 0.01  # of an even share of the rows: a replica with fewer weighs too little to spoil the average


class Mix(NamedTuple):
    """A replica's classes beside those of all rows."""

    replica: int  # from 0
    distance: float  # total variation, 0..1
    allowed: float  # the distance that is harmless, or that chance gives a replica of this size
    label: int  # the class with the most rows too many here
    share: float  # its share of the replica's rows, 0..1
    share_of_all: float  # its share of all rows, 0..1


def count(labels: np.ndarray, runs: Iterable[tuple[int, int]], replicas: int, classes: int) -> np.ndarray:
    """Rows of each class in each replica, (p, k) int64.

    The labels (n,) are in row order; `runs` says which replica holds the next so many rows: (replica, rows) each.
    """
    counts = np.zeros((replicas, classes), np.int64)
    start = 0
    for replica, rows in runs:
        counts[replica] += np.bincount(labels[start : start + rows], minlength=classes)
        start += rows
    return counts


def worst(counts: np.ndarray) -> Mix | None:
    """The replica that is farthest beyond its allowed distance, or nearest to it where none is beyond.

    `counts` (p, k) are rows of each class in each replica. None where fewer than two replicas hold rows; those with no
    more than a crumb are passed over.
    """
    rows = counts.sum(axis=1)  # (p,)
    if np.count_nonzero(rows) < 2:
        return None
    of_all = counts.sum(axis=0) / rows.sum()  # (k,)
    replicas = np.flatnonzero(rows > CRUMB * rows.sum() / len(rows))
    shares = counts[replicas] / rows[replicas, None]
    distances = np.abs(shares - of_all).sum(axis=1) / 2
    allowed = np.maximum(HARMLESS, by_chance(rows[replicas], of_all))
    at = int(np.argmax(distances - allowed))
    label = int(np.argmax(shares[at] - of_all))
    return Mix(
        replica=int(replicas[at]),
        distance=float(distances[at]),
        allowed=float(allowed[at]),
        label=label,
        share=float(shares[at, label]),
        share_of_all=float(of_all[label]),
    )


def by_chance(rows: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """The distance that `rows` (p,) rows drawn at random from classes with these shares (k,) stay below, (p,)."""
    mean = np.sqrt(shares * (1 - shares)).sum() / (2 * np.sqrt(rows))
    return mean + np.sqrt(math.log(1 / FALSE_ALARM) / (2 * rows))


def warning(counts: np.ndarray) -> str | None:
    """One line where a replica's mix is far from that of all rows; None where chance explains it or it is harmless.

    `counts` (p, k) are rows of each class in each replica. The line counts replicas from 1.
    """
    mix = worst(counts)
    if mix is None or mix.distance <= mix.allowed:
        return None
    return (
        f"rows look sorted by class: class {mix.label} is {100 * mix.share:.3g} % of replica {mix.replica + 1} of "
        f"{len(counts)} but {100 * mix.share_of_all:.3g} % of all rows; replicas that see different classes average "
        "badly: --shuffle-once spreads the rows"
    )
