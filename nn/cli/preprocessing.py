"""What training does to each column of a training set that was described, in words, and why it would refuse it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from nn.cli.label_summary import LabelSummary, label_summary
from nn.cli.options import recipe_errors
from nn.core import format
from nn.data import quoted_text
from nn.data.block import LARGEST_WEIGHT
from nn.data.columns import NAME, ColumnReference
from nn.data.description import Summary, are_dates, copies, hint_of
from nn.data.encoding import Category, Encoder, Number, SharedScale, TableEncoder
from nn.data.statistics import ColumnStatistics
from nn.spark.input import described_columns, describing, table_categories
from nn.spark.input.described_columns import FileColumn
from nn.spark.input.describing import Description
from nn.spark.input.table_columns import BYTES, CATEGORY
from nn.training.assembly import encoder_of, scale_of
from nn.training.backend import NO_LABELS, Facts
from nn.training.recipe import Recipe

BYTE = 255
SCALED = {"standard": "standardized", "minmax": "mapped to 0..1", "none": "taken as it is"}
FILLED = {
    "mean": "missing values become the mean",
    "zero": "missing values become 0",
    "indicator": "missing values become the mean, one more input says so",
    "drop": "rows with a missing value are left out",
}
ADVICE_ON_MISSING = ", unless --missing says what to do"
LOOKS, COPY, CONSTANT, EMPTY = "looks like", "a copy of the label", "constant: becomes 0", "has no values"
NOTABLE = (LOOKS, COPY, CONSTANT, EMPTY)  # what --check tells of a column
ADVICE = "--missing mean, zero or indicator fills them, --missing drop leaves the rows out"
SHOWN = 5  # columns in a line
SIDES = {
    described_columns.WEIGHT: "weighs the rows",
    described_columns.VALIDATION: "says which rows are for validation",
    described_columns.ID: "names the rows, no input",
    described_columns.DROPPED: "left out",
}


class PreprocessedColumn(NamedTuple):
    """A column, or several: what it holds and what is done to it."""

    name: str
    role: str
    kind: str
    reference: str  # by which options name it; "" for a part of a column
    low: float  # NaN: it has no numbers
    mean: float
    high: float
    missing_values: int
    distinct: tuple[int, int]  # of the column with the fewest and of that with the most distinct values
    is_estimated: bool
    done: str
    extras: tuple[tuple[str, int], ...] = ()  # what else is done or looked like, of how many columns
    faults: tuple[str, ...] = ()  # why training refuses it
    columns: int = 1

    @property
    def is_doubtful(self) -> bool:
        """Return whether it looks like no input: an index, an id, dates, a copy of the label, or refused for good."""
        looks = any(extra.startswith(LOOKS) or extra == COPY for extra, _ in self.extras)
        is_refused = any("--drop-columns" in fault for fault in self.faults)
        return self.role == described_columns.INPUT and self.reference != "" and (looks or is_refused)


class Preprocessing(NamedTuple):
    """A described training set, and what training does to its columns."""

    columns: tuple[PreprocessedColumn, ...]
    label: LabelSummary | None
    facts: Facts
    encoder: Encoder | None  # None: no column is left for inputs

    @property
    def width(self) -> int:
        """Return the number of inputs of the network."""
        if isinstance(self.encoder, TableEncoder):
            return self.encoder.width
        return 0 if self.encoder is None else self.facts.width

    @property
    def faults(self) -> Iterator[str]:
        """Yield a line for each reason for which training would end."""
        with_missing = [
            column
            for column in self.columns
            if column.role == described_columns.INPUT and column.missing_values
        ]
        for column in self.columns:
            for fault in column.faults:
                if not fault.endswith(ADVICE_ON_MISSING):
                    yield f"column {column.name!r}: {fault}"
        if any(fault.endswith(ADVICE_ON_MISSING) for column in with_missing for fault in column.faults):
            shown = ", ".join(
                f"column {column.name!r} ({column.missing_values:,})" for column in with_missing[:SHOWN]
            )
            more = f" and {len(with_missing) - SHOWN:,} more columns" if len(with_missing) > SHOWN else ""
            yield f"missing values in {shown}{more}; {ADVICE}"
        if self.label is not None and self.label.fault:
            yield self.label.fault


def preprocessing_of(description: Description, recipe: Recipe) -> Preprocessing:
    """Return what training does to the columns of a training set. Raises UsageError for too many inputs."""
    with recipe_errors():
        label = label_summary(description, recipe)
        facts = _facts(description, recipe, label)
        encoder = encoder_of(recipe, facts) if facts.width else None
        same = copies(
            description.summary,
            None if description.labels is None else description.labels.groups,
            None if description.label is None else description.label.first,
        )
        words = _Words(description, recipe, facts, encoder, same)
        return Preprocessing(tuple(words.columns()), label, facts, encoder)


def _facts(description: Description, recipe: Recipe, label: LabelSummary | None) -> Facts:
    summary = description.summary
    numbers = np.array([n for column in description.inputs for n in column.numbers], np.intp)
    statistics = ColumnStatistics(summary.rows, *(values[numbers] for values in summary.statistics[1:]))
    statistics = statistics._replace(counts=summary.filled[numbers].astype(np.float64))
    low, high = statistics.low.min(initial=np.inf), statistics.high.max(initial=-np.inf)
    no_texts = all(column.kind.kind != CATEGORY for column in description.inputs)
    are_bytes = bool(no_texts and summary.whole[numbers].all() and low >= 0 and high <= BYTE)
    are_pixels = are_bytes and not statistics.missing_values.any()
    classes = len(label.classes) if label is not None and label.classes else 2
    return Facts(
        len(numbers),
        NO_LABELS,
        1 if recipe.is_regression else classes,
        max(abs(low), abs(high)) if math.isfinite(low) and (low or high) else 1.0,
        description.partitions,
        describing.schemas(description, recipe.centers_columns, recipe.max_categories),
        are_pixels=are_pixels,
        has_names=description.has_names,
        statistics=statistics,
    )


# ---- columns ----


class _Words(NamedTuple):
    """What the words on a column depend on."""

    description: Description
    recipe: Recipe
    facts: Facts
    encoder: Encoder | None
    copies: np.ndarray  # (c,) bool: the columns of the summary that are copies of the label

    def columns(self) -> Iterator[PreprocessedColumn]:
        """Yield the columns in their order; an array or a vector gives one for each of its numbers."""
        encoded = iter(self.encoder.columns) if isinstance(self.encoder, TableEncoder) else None
        for place, column in enumerate(self.description.columns):
            for name, index in zip(column.names, column.numbers, strict=False):
                prepared = self._plain(column, name, index, self._reference(column, place))
                if column.role != described_columns.INPUT:
                    yield prepared._replace(faults=tuple(_faults_of_side(self.description.summary, column)))
                elif column.refused:
                    yield prepared._replace(faults=(column.refused,))
                else:
                    how = None if encoded is None else next(encoded)
                    yield self._input(column, index, prepared, how)

    def _reference(self, column: FileColumn, place: int) -> str:
        """Return how options name a column: by its name, or by its number where it has none."""
        if column.is_wide:
            return ""
        name = column.name
        if not (self.description.has_names and name.strip()):
            return str(place)
        is_plain = isinstance(ColumnReference().text(name), str) and "*" not in name
        return (name if is_plain else f"{NAME}{name}").replace(",", r"\,")

    def _plain(self, column: FileColumn, name: str, index: int, reference: str) -> PreprocessedColumn:
        """Return what a column holds."""
        summary, role = self.description.summary, column.role
        statistics, distinct = summary.statistics, summary.distinct[index]
        has_numbers = bool(statistics.counts[index])
        low, mean, high = (
            float(values[index]) if has_numbers else math.nan
            for values in (statistics.low, statistics.mean, statistics.high)
        )
        done = SIDES.get(role, "")
        if role == described_columns.LABEL:
            done = "the target, standardized" if self.recipe.is_regression else "the classes"
        kind = self._kind(column) if role in (described_columns.INPUT, described_columns.DROPPED) else role
        return PreprocessedColumn(
            name,
            role,
            "dropped" if role == described_columns.DROPPED else kind,
            reference,
            *(low, mean, high),
            int(summary.missing_values[index]),
            (distinct.number, distinct.number),
            distinct.is_full,
            done,
        )

    def _kind(self, column: FileColumn) -> str:
        if column.kind.kind == CATEGORY or column.refused:
            return column.kind.kind.strip()
        are_pixels = self.facts.are_pixels and scale_of(self.recipe, self.facts) == "largest"
        return "pixels" if column.kind.kind == BYTES or are_pixels else "number"

    def _input(
        self, column: FileColumn, index: int, prepared: PreprocessedColumn, how: Number | Category | None
    ) -> PreprocessedColumn:
        """Return a column of inputs with what is done to it, what it looks like and why training refuses it."""
        summary, recipe = self.description.summary, self.recipe
        extras: list[str] = []
        faults: list[str] = []
        done = self._scaled(how) if not isinstance(how, Category) else _one_hot(how, prepared.distinct[0])
        if isinstance(how, Number):
            extras += self._of_number(how, prepared)
        if summary.bad[index]:
            cells = format.counted(int(summary.bad[index]), "cell")
            faults.append(
                f"{cells} without a number; --missing-values WORD or --categorical {prepared.reference}"
            )
        if prepared.missing_values and recipe.missing == "error":
            faults.append(f"{format.counted(prepared.missing_values, 'missing value')}{ADVICE_ON_MISSING}")
        elif prepared.missing_values:
            is_category = isinstance(how, Category) and recipe.missing != "drop"
            extras.append(
                f"missing values become zeros{_says_so(how)}" if is_category else FILLED[recipe.missing]
            )
        if _names_rows(summary, column):
            why = (
                "its strings are numbers: write it as a column of numbers, or"
                if quoted_text.are_numbers(column.texts)
                else "it names the rows, or is free text:"
            )
            faults.append(f"{why} --drop-columns {prepared.reference}")
        if self.copies[index]:
            extras.append(COPY)
        if are_dates(column.texts):
            extras.append(f"{LOOKS} dates")
        elif column.kind.kind != BYTES and prepared.kind != "pixels" and not faults:
            extras.append(hint_of(summary, index, column.name))
        return prepared._replace(
            done=done, extras=tuple((extra, 1) for extra in extras if extra), faults=tuple(faults)
        )

    def _scaled(self, how: Number | None) -> str:
        scale = scale_of(self.recipe, self.facts)
        if scale != "largest":
            return SCALED[scale]
        largest = self.encoder.scale if isinstance(self.encoder, SharedScale) else how.scale if how else 1.0
        return f"divided by {largest:.6g}"

    def _of_number(self, how: Number, prepared: PreprocessedColumn) -> Iterator[str]:
        if math.isnan(prepared.low):
            yield EMPTY
        elif prepared.low == prepared.high and scale_of(self.recipe, self.facts) in (
            "standard",
            "minmax",
        ):
            yield CONSTANT
        if how.offset:
            yield "kept less its first value"


def _faults_of_side(summary: Summary, column: FileColumn) -> Iterator[str]:
    """Yield why training refuses a column of weights or of validation rows."""
    index, statistics = column.first, summary.statistics
    low, high = statistics.low[index], statistics.high[index]
    is_filled = summary.filled[index] == summary.rows
    are_weights = is_filled and low >= 0 and high <= LARGEST_WEIGHT
    if column.role == described_columns.WEIGHT and not are_weights:
        yield f"expected row weights from 0 to {LARGEST_WEIGHT:g}"
    are_flags = is_filled and low >= 0 and high <= 1 and summary.whole[index]
    if column.role == described_columns.VALIDATION and not are_flags:
        yield "expected true or false, or 1 or 0"


def _one_hot(how: Category, distinct: int) -> str:
    """Return which inputs a column of categories gives."""
    kept = len(how.values)
    rare = distinct - kept
    parts = [
        f"the {kept:,} most frequent values" if rare > 0 else f"{kept:,} value{'s' if kept != 1 else ''}"
    ]
    if how.other:
        parts.append(f"one for {rare:,} rare values" if rare > 0 else "one for other values")
    if how.indicator:
        parts.append("one for missing values")
    return f"one-hot into {how.width:,} inputs: {', '.join(parts)}"


def _says_so(how: Number | Category | None) -> str:
    return " in the others" if how is not None and how.indicator else ""


def _names_rows(summary: Summary, column: FileColumn) -> bool:
    """Return whether training refuses a column of strings because it tells rows apart."""
    if column.kind.kind != CATEGORY:
        return False
    filled, distinct = int(summary.filled[column.first]), summary.distinct[column.first].number
    return filled >= table_categories.FEWEST and distinct >= table_categories.DISTINCT * filled
