"""Tell whether the rows that a replica shuffles together hold the mix of classes that all rows have.

distance    TV_s = 1/2 Σ_j |n_sj / n_s - p_j|,  p_j = n_j / n      (total variation: 0 the same mix, 1 none of it)
by chance   TV_s < 1/2 Σ_j √(p_j (1 - p_j) / n_s) + √(ln(1/δ) / (2 n_s))

for a stretch of n_s rows drawn at random, all but δ of the times: the first term bounds the mean of TV_s (Jensen), the
second what lies beyond the mean, since one row moves TV_s by 1 / n_s at most (McDiarmid, 1989). A stretch is all of a
replica's rows, or as many of them as its buffer holds (nn/training/replicas.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

FALSE_ALARM = 1e-4  # δ: a stretch of a file in random order passes for a sorted one at most so often
TOLERATED = 0.1  # a distance up to which the average loses nothing that shows beside another seed's
NEGLIGIBLE_SHARE = (
    0.01  # of an even share of the rows: a stretch with fewer weighs too little to spoil the average
)


class ShuffleWindows(NamedTuple):
    """How many rows of each class lie in each stretch of rows that is shuffled together."""

    counts: np.ndarray  # (s, k) int64
    replicas: np.ndarray  # (s,) whose they are, from 0
    of: int  # how many replicas there are, with those that hold no rows
    together: int  # rows of a stretch; a replica's last may have fewer

    @property
    def are_replicas(self) -> bool:
        """Whether no replica has more than one."""
        return len(np.unique(self.replicas)) == len(self.replicas)


class Skew(NamedTuple):
    """A stretch's classes beside those of all rows."""

    stretch: int  # from 0
    rows: int
    distance: float  # total variation, 0..1
    allowed: float  # the distance that is harmless, or that chance gives a stretch of this size
    label: int  # the class with the most rows too many here
    share: float  # its share of the stretch's rows, 0..1
    share_of_all: float  # its share of all rows, 0..1


def count(
    labels: np.ndarray, runs: Iterable[tuple[int, int]], replicas: int, classes: int, together: int
) -> ShuffleWindows:
    """Count the classes in stretches of `together` rows, of which a replica's last may be shorter.

    The labels (n,) are in row order; `runs` says which replica holds the next so many rows: (replica, rows) each.
    """
    counts: list[np.ndarray] = []
    owners: list[int] = []
    current: dict[int, tuple[int, int]] = {}  # replica -> its last stretch, and how many rows it still takes
    start = 0
    for replica, rows in runs:
        while rows:
            stretch, room = current.get(replica, (0, 0))
            if not room:
                stretch, room = len(counts), together
                counts.append(np.zeros(classes, np.int64))
                owners.append(replica)
            taken = min(rows, room)
            counts[stretch] += np.bincount(labels[start : start + taken], minlength=classes)
            current[replica] = stretch, room - taken
            start, rows = start + taken, rows - taken
    return ShuffleWindows(
        np.array(counts, np.int64).reshape(-1, classes), np.array(owners, np.int64), replicas, together
    )


def worst(counts: np.ndarray) -> Skew | None:
    """The stretch that is farthest beyond its allowed distance, or nearest to it where none is beyond.

    `counts` (s, k) are rows of each class in each stretch. None where there are fewer than two; those with no more than
    a crumb of the rows are passed over.
    """
    if len(counts) < 2:
        return None
    rows = counts.sum(axis=1)  # (s,)
    of_all = counts.sum(axis=0) / rows.sum()  # (k,)
    stretches = np.flatnonzero(rows > NEGLIGIBLE_SHARE * rows.sum() / len(rows))
    shares = counts[stretches] / rows[stretches, None]
    distances = np.abs(shares - of_all).sum(axis=1) / 2
    allowed = np.maximum(TOLERATED, by_chance(rows[stretches], of_all))
    at = int(np.argmax(distances - allowed))
    label = int(np.argmax(shares[at] - of_all))
    return Skew(
        stretch=int(stretches[at]),
        rows=int(rows[stretches[at]]),
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


def warning(stretches: ShuffleWindows) -> str | None:
    """One line where a stretch's mix is far from that of all rows; None where chance explains it or it is harmless.

    The line counts replicas from 1.
    """
    mix = worst(stretches.counts)
    if mix is None or mix.distance <= mix.allowed:
        return None
    where = f"replica {stretches.replicas[mix.stretch] + 1} of {stretches.of}"
    if stretches.are_replicas:
        harm = "replicas that see different classes average badly"
    else:
        where = f"{mix.rows:,} rows on end in {where}"
        harm = "steps that see a few classes on end unlearn the others"
    return (
        f"rows look sorted by class: class {mix.label} is {100 * mix.share:.3g} % of {where} but "
        f"{100 * mix.share_of_all:.3g} % of all rows; {harm}: --shuffle-once spreads the rows"
    )
