"""The options of the main job: those of the run and the recipe."""

from __future__ import annotations

import dataclasses
import math
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from nn.core.errors import DataError, MissingFileError, UsageError
from nn.core.options import options_of
from nn.data import dialect, first_lines
from nn.data.columns import Columns
from nn.data.decoding import ClassLabels
from nn.data.labels import LabelReader
from nn.models.model_file import SavedModel
from nn.models.sequential import Sequential
from nn.spark.input.formats import AUTO, TEXT
from nn.spark.input.input_files import Source
from nn.spark.input.reading_options import ReadingOptions
from nn.training.assembly import network_of, resolved
from nn.training.backend import Facts, Rows
from nn.training.pretrained import missing_for
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun
from nn.training.run_options import RunOptions

# The options that OUTPUT/config.json keeps.
AFFECTING_RESULTS = {
    name: field
    for name, field in {**options_of(RunOptions), **options_of(Recipe)}.items()
    if field.metadata["affects_results"]
}


@dataclass(frozen=True)
class Options(RunOptions):
    """All options of the main job: those of the run and its recipe."""

    recipe: Recipe = field(default_factory=Recipe)
    notes: tuple[str, ...] = field(default=(), compare=False)  # lines on values of --config that do not apply

    def sources(self) -> tuple[Source, Source | None]:
        """Return the sources of the training set and the test set; None where this is split off."""
        sets = (
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
                *self.first_line_rules,
                self.id_column,
                self.validation_column,
                self.features,
                self.drop_columns,
                self.format or AUTO,
                self.read_option,
                self.missing_values,
            )
            for name, images, labels in sets
        )
        return train, None if self.test_images == "-" else test

    @property
    def reading(self) -> ReadingOptions:
        """Return what the recipe asks of reading."""
        recipe = self.recipe
        return ReadingOptions(
            recipe.task,
            recipe.centers_columns,
            recipe.missing,
            recipe.categorical,
            recipe.max_categories,
            self.test_fraction or 0.0,
            recipe.seed,
            recipe.unknown,
        )

    def reading_for(self, model: Sequential | None) -> ReadingOptions:
        """Return what the recipe and the model that training starts from, if there is one, ask of reading."""
        recipe, options = self.recipe, self.reading
        if model is None:
            return options
        options = options._replace(missing=missing_for(recipe, model), categorical=(), model=model)
        if recipe.is_regression or recipe.keep_layers is not None:
            return options
        assert isinstance(model.decoder, ClassLabels)  # check_recipe refuses another task
        hint = "--keep-layers N keeps the first N layers of MODEL, for other classes"
        labels = LabelReader(recipe.task, model.classes, model.decoder.labels, "MODEL", hint)
        return options._replace(labels=labels)

    @property
    def first_line_rules(self) -> tuple[str, int]:
        """Return how the first lines of a file are read: (header, lines to skip)."""
        return self.header or dialect.AUTO, self.skip_lines or 0

    def as_json(self) -> dict[str, Any]:
        """Return the options that are set as plain JSON values, which `--config` reads."""
        values: dict[str, Any] = {}
        for owner in (self, self.recipe):
            for name, field_ in options_of(type(owner)).items():
                value = getattr(owner, name)
                values[name] = None if value in (None, ()) else field_.metadata["reader"].plain(value)
        return {name: value for name, value in values.items() if value is not None}

    def resolved(self) -> dict[str, Any]:
        """Return the configuration that OUTPUT keeps: all options that affect the results, with their defaults."""
        whole = dataclasses.replace(self, recipe=resolved(self.recipe))
        return {name: value for name, value in whole.as_json().items() if name in AFFECTING_RESULTS}

    def for_cluster(self, slots: int) -> Options:
        """Return options with `slots` partitions, the tasks that run at once, unless the user gave a number."""
        return dataclasses.replace(self, partitions=self.partitions or slots)

    @property
    def partition_count(self) -> int:
        """Return the number of partitions that the rows are cut into; known after `for_cluster`."""
        assert self.partitions is not None
        return self.partitions

    def training_run(
        self, facts: Facts, rows: Rows | None = None, start_from: SavedModel | None = None
    ) -> TrainingRun:
        """Apply the recipe to rows, or to the facts alone. Raises UsageError where it does not fit the data."""
        with recipe_errors():
            if rows is None:
                return TrainingRun.of(self.recipe, facts, start_from=start_from)
            return TrainingRun.on(self.recipe, facts, rows, start_from)

    def with_recipe(self, recipe: Recipe) -> Options:
        """Return the options with a recipe whose defaults are filled in."""
        return dataclasses.replace(self, recipe=recipe)

    def check_shapes(self) -> None:
        """Check before Spark starts that the layers fit together. Raises UsageError if they do not.

        The number of input values comes from a local TRAIN_IMAGES or else from the recipe's input shape. Without both
        it is known only when the data are read.
        """
        width = self._peeked_width()
        if width is None and self.recipe.input_shape:
            width = math.prod(self.recipe.input_shape)
        if width is not None:
            with recipe_errors():
                network_of(self.recipe, Facts.of_shapes(width, classes=2))

    def _peeked_width(self) -> int | None:
        """Return the number of input values in the first line of TRAIN_IMAGES; None unless it is a local file."""
        if not os.path.isfile(self.train_images):  # a pipe could be read but once
            return None
        try:
            header, skip = self.first_line_rules
            with open(self.train_images, "rb") as file:
                lines = [file.readline(PEEKED).decode("utf-8") for _ in range(skip + dialect.LOOKED_AT)]
            if max(map(len, lines)) >= PEEKED or not lines[skip].strip():
                return None
            first = first_lines.inspect(lines, header, skip, False, bytes)
            if first.fault is not None or self.format not in (None, AUTO, TEXT):
                return None  # faults of the file are reported when it is read
            roles = self.sources()[0].roles
            return len(Columns.of(roles, first.names, first.dialect.width, self.train_images).inputs)
        except (OSError, ValueError, DataError):
            return None

    @contextmanager
    def get_data_hint(self) -> Iterator[None]:
        """Add the configuration file's command that makes the data to a MissingFileError raised inside `with`."""
        try:
            yield
        except MissingFileError as error:
            more = f"; make it with: {self.get_data}" if self.get_data else ""
            raise MissingFileError(f"{error}{more}") from None


@contextmanager
def recipe_errors() -> Iterator[None]:
    """Turn a ValueError of a recipe into a UsageError that spells options as the command line does."""
    try:
        yield
    except ValueError as error:
        names = "|".join(options_of(Recipe) | options_of(RunOptions))
        message = re.sub(rf"\b({names})\b", lambda name: name[0].replace("_", "-"), str(error))
        raise UsageError(message) from None


PEEKED = 1 << 20  # bytes of a line; longer ones are read by Spark alone
