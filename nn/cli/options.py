"""What the user of the main job asks for: where the data is, how to run, and the recipe."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nn.core.errors import MissingFileError, UsageError
from nn.core.options import options_of
from nn.data import dialect
from nn.data.split import Split
from nn.layers.base import WrongKindError
from nn.models.sequential import Sequential
from nn.spark.input.reader import Source
from nn.training.recipe import Recipe
from nn.training.run_options import RunOptions


@dataclass(frozen=True)
class Options(RunOptions):
    """What the user asked for: the places of the data, how to run, and the recipe."""

    recipe: Recipe = field(default_factory=Recipe)
    notes: tuple[str, ...] = field(default=(), compare=False)  # on how they came about, a line each

    def sources(self) -> tuple[Source, Source]:
        """Where the training set and the test set are."""
        places = (
            ("TRAIN", self.train_images, self.train_labels),
            ("TEST", self.test_images, self.test_labels),
        )
        train, test = (
            Source(
                name,
                images,
                None if labels == "-" else labels,
                self.label_column,
                self.weight_column,
                *self.of_first_lines,
            )
            for name, images, labels in places
        )
        return train, test

    @property
    def of_first_lines(self) -> tuple[str, int]:
        """Return how the first lines of a file are read: (header, lines to skip)."""
        return self.header or dialect.AUTO, self.skip_lines or 0

    def as_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, which `--config` takes back; options left alone are not listed."""
        values: dict[str, Any] = {}
        for owner in (self, self.recipe):
            for name, each in options_of(type(owner)).items():
                value = getattr(owner, name)
                values[name] = None if value in (None, ()) else each.metadata["reader"].plain(value)
        return {name: value for name, value in values.items() if value is not None}

    def resolved(self) -> dict[str, Any]:
        """The configuration that OUTPUT keeps: all that shapes the results, defaults filled in; `--config` takes it."""
        whole = dataclasses.replace(self, recipe=self.recipe.resolved())
        kept = [
            name
            for owner in (Options, Recipe)
            for name, each in options_of(owner).items()
            if each.metadata["affects_results"]
        ]
        return {name: value for name, value in whole.as_json().items() if name in kept}

    def for_cluster(self, slots: int) -> Options:
        """The same with as many partitions as tasks run at once, where the user names no number."""
        return dataclasses.replace(self, partitions=self.partitions or slots)

    @property
    def pieces(self) -> int:
        """How many pieces the rows are cut into, where that is settled (`for_cluster`)."""
        assert self.partitions is not None
        return self.partitions

    def for_replicas(self, rows: int, replicas: int) -> Options:
        """The same with the recipe's defaults for so many replicas of so many rows together."""
        return dataclasses.replace(self, recipe=self.recipe.for_replicas(rows, replicas))

    def model(self, width: int, classes: int, scale: float) -> Sequential:
        """The recipe's network; UsageError where it does not fit the data."""
        try:
            return self.recipe.model(width, classes, scale)
        except ValueError as error:
            raise UsageError(option_names(str(error))) from None

    def split(self, labels: np.ndarray, classes: int) -> Split:
        """The recipe's split; UsageError where it does not fit the data."""
        try:
            return self.recipe.split(labels, classes)
        except ValueError as error:
            raise UsageError(option_names(str(error))) from None

    def check_shapes(self) -> None:
        """Refuse a stack of layers that does not fit together, before Spark starts.

        The width comes from a local TRAIN_IMAGES or the recipe's input shape; where neither says it, two widths are
        tried, and what is wrong at both in the same way is wrong at all.
        """
        width = self._peeked_width()
        if width is None and self.recipe.input_shape:
            width = math.prod(self.recipe.input_shape)
        if width is not None:
            self.model(width, 2, 1.0)
            return
        first, second = (self._misfit(width) for width in UNKNOWN_WIDTHS)
        if first and second and (str(first) == str(second) or isinstance(first, WrongKindError)):
            raise UsageError(option_names(_blurred(str(first), str(second))))

    def _misfit(self, width: int) -> ValueError | None:
        try:
            self.recipe.model(width, 2)
        except ValueError as error:
            return error
        return None

    def _peeked_width(self) -> int | None:
        """Input values in the first line of TRAIN_IMAGES, where that is a plain local file; else None."""
        if not os.path.isfile(self.train_images):  # a pipe could be read but once
            return None
        try:
            header, skip = self.of_first_lines
            with open(self.train_images, "rb") as file:
                lines = [file.readline(PEEKED).decode("utf-8") for _ in range(skip + dialect.LOOKED_AT)]
            if max(map(len, lines)) >= PEEKED or not lines[skip].strip():
                return None
            taken = [self.label_column if self.train_labels == "-" else None, self.weight_column]
            width = dialect.dialect_of(lines[skip:], header, skip).width
            width -= sum(column is not None for column in taken)
            return width if width > 0 else None  # what is wrong with the file is said when it is read
        except (OSError, ValueError):
            return None

    @contextmanager
    def telling_how_to_get_data(self) -> Iterator[None]:
        """Add the command of the configuration file that makes the data to the word that a file is missing."""
        try:
            yield
        except MissingFileError as error:
            more = f"; make it with: {self.get_data}" if self.get_data else ""
            raise MissingFileError(f"{error}{more}") from None


def option_names(message: str) -> str:
    """Return a message of the library with the names of a recipe's fields as the command line spells them."""
    names = "|".join(options_of(Recipe))
    return re.sub(rf"\b({names})\b", lambda found: found[0].replace("_", "-"), message)


UNKNOWN_WIDTHS = (1024 * 1024, 3331 * 3331)  # squares, which image layers take
PEEKED = 1 << 20  # bytes of a line; a longer one is left to Spark


def _blurred(first: str, second: str) -> str:
    """A message with a question mark for each number in which two of its kind differ."""
    numbers, others = re.findall(r"\d+", first), re.findall(r"\d+", second)
    if len(numbers) != len(others):
        return first
    same = iter([one if one == other else "?" for one, other in zip(numbers, others, strict=True)])
    return re.sub(r"\d+", lambda found: next(same), first)
