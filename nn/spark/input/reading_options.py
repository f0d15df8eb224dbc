"""The options of a recipe that decide how rows are read."""

from __future__ import annotations

from typing import NamedTuple

from nn.data.columns import Reference
from nn.data.labels import CLASSIFICATION, LabelReader
from nn.models.sequential import Sequential


class ReadingOptions(NamedTuple):
    """The options of a recipe that decide how rows are read."""

    task: str = CLASSIFICATION  # one of nn.data.labels.TASKS
    offsets: bool = False  # whether a column of large numbers is kept less its first value
    missing: str = "error"  # one of nn.data.schema.MISSING
    categorical: tuple[Reference, ...] = ()
    max_categories: int = 100
    test_fraction: float = 0.0  # where there is no test set
    seed: int = 0
    unknown: str = "other"  # one of nn.data.schema.UNKNOWNS
    model: Sequential | None = None  # that training starts from: rows are read for its columns
    labels: LabelReader | None = None  # of a training set; None: its labels are read as they are


DEFAULTS = ReadingOptions()
