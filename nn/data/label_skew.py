"""Label skew: compare the class distribution of rows that are shuffled together with that of all rows.

distance    TV_s = 1/2 Σ_j |n_sj / n_s - p_j|,  p_j = n_j / n      (total variation: 0 equal, 1 no class in common)
by chance   TV_s < 1/2 Σ_j √(p_j (1 - p_j) / n_s) + √(ln(1/δ) / (2 n_s))

The bound holds with probability 1 - δ for a window of n_s random rows. The first term bounds the mean of TV_s (Jensen),
the second the deviation from the mean, since one row changes TV_s by at most 1 / n_s (McDiarmid, 1989). A window is all
rows of a replica, or as many as its shuffle buffer holds (nn/training/replicas.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

FALSE_ALARM = 1e-4  # δ: how often a window of rows in random order is reported at most
TOLERATED = 0.1  # distance up to which the loss of accuracy is smaller than the effect of another seed
NEGLIGIBLE_SHARE = 0.01  # of the mean rows per window: smaller windows have no effect on the average


class ShuffleWindows(NamedTuple):
    """The class counts of each window of rows that is shuffled together."""

    counts: np.ndarray  # (s, k) int64: rows of each class in each window
    replicas: np.ndarray  # (s,) the replica of each window, from 0
    n_replicas: int  # all replicas, with those that have no rows
    window_rows: int  # rows of a window; a replica's last window may have fewer

    @property
    def are_replicas(self) -> bool:
        """Whether no replica has more than one window."""
        return len(np.unique(self.replicas)) == len(self.replicas)


class Skew(NamedTuple):
    """The class distribution of a window compared with that of all rows."""

    window: int  # from 0
    rows: int
    distance: float  # total variation, 0..1
    allowed: float  # the larger of TOLERATED and the bound for random windows of this size
    label: int  # the class that is most overrepresented
    share: float  # its share of the window's rows, 0..1
    share_of_all: float  # its share of all rows, 0..1


def count_classes(
    labels: np.ndarray, runs: Iterable[tuple[int, int]], n_replicas: int, classes: int, window_rows: int
) -> ShuffleWindows:
    """Count the classes in windows of `window_rows` rows; a replica's last window may have fewer.

    The labels (n,) are in row order. `runs` assigns consecutive rows to replicas: (replica, number of rows) each.
    """
    counts: list[np.ndarray] = []
    replicas: list[int] = []
    current: dict[int, tuple[int, int]] = {}  # replica -> its last window and the rows missing in it
    start = 0
    for replica, rows in runs:
        while rows:
            window, missing = current.get(replica, (0, 0))
            if not missing:
                window, missing = len(counts), window_rows
                counts.append(np.zeros(classes, np.int64))
                replicas.append(replica)
            taken = min(rows, missing)
            counts[window] += np.bincount(labels[start : start + taken], minlength=classes)
            current[replica] = window, missing - taken
            start, rows = start + taken, rows - taken
    table = np.array(counts, np.int64).reshape(-1, classes)
    return ShuffleWindows(table, np.array(replicas, np.int64), n_replicas, window_rows)


def most_skewed(counts: np.ndarray) -> Skew | None:
    """Return the window whose distance exceeds the allowed one by the most, or is nearest to it.

    `counts` (s, k) are the rows of each class in each window. Return None for fewer than two windows. Windows with a
    negligible share of the rows are ignored.
    """
    if len(counts) < 2:
        return None
    rows = counts.sum(axis=1)  # (s,)
    of_all = counts.sum(axis=0) / rows.sum()  # (k,)
    windows = np.flatnonzero(rows > NEGLIGIBLE_SHARE * rows.sum() / len(rows))
    shares = counts[windows] / rows[windows, None]
    distances = np.abs(shares - of_all).sum(axis=1) / 2
    allowed = np.maximum(TOLERATED, chance_bound(rows[windows], of_all))
    index = int(np.argmax(distances - allowed))
    label = int(np.argmax(shares[index] - of_all))
    return Skew(
        window=int(windows[index]),
        rows=int(rows[windows[index]]),
        distance=float(distances[index]),
        allowed=float(allowed[index]),
        label=label,
        share=float(shares[index, label]),
        share_of_all=float(of_all[label]),
    )


def chance_bound(rows: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the bound (p,) on the distance of `rows` (p,) random rows from classes with these shares (k,)."""
    mean = np.sqrt(shares * (1 - shares)).sum() / (2 * np.sqrt(rows))
    return mean + np.sqrt(math.log(1 / FALSE_ALARM) / (2 * rows))


def warning(windows: ShuffleWindows, names: Sequence[str] | None = None) -> str | None:
    """Return one line if the class distribution of a window is far from that of all rows, else None.

    The line counts replicas from 1; `names` are those of the classes, by default their numbers.
    """
    skew = most_skewed(windows.counts)
    if skew is None or skew.distance <= skew.allowed:
        return None
    where = f"replica {windows.replicas[skew.window] + 1} of {windows.n_replicas}"
    if windows.are_replicas:
        harm = "replicas that see different classes average badly"
    else:
        where = f"{skew.rows:,} consecutive rows in {where}"
        harm = "steps on a few classes in a row unlearn the others"
    name = skew.label if names is None else names[skew.label]
    return (
        f"rows look sorted by class: class {name} is {100 * skew.share:.3g} % of {where} but "
        f"{100 * skew.share_of_all:.3g} % of all rows; {harm}: --shuffle-once spreads the rows"
    )
