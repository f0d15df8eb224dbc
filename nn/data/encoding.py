"""Encode the columns of a table as the inputs of a network. The model owns its encoder, and the model file keeps it.

raw rows --pack--> blocks (n, c): float32 less an offset, category codes, NaN where missing --encode--> x (n, d) float32

A block holds c columns of the table as they are; the network takes d inputs. Training, scoring and prediction encode
the same numbers with the same operations, so they agree to the bit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, NamedTuple, Protocol

import numpy as np

from nn.core.constraints import POSITIVE, Interval, check_fields
from nn.data.arrays import IN_FLOAT32, LARGEST

ANOTHER = "(another value)"  # stands for a category without a code of its own
UNKNOWN = -1.0  # the code of a category that was not in the training rows
MOST_INPUTS = 1 << 20  # of an encoder: more would not fit into a network
LARGEST_OFFSET = 1e30  # a number within float32 less this one is still within float32
SMALLEST_SCALE = 1 / LARGEST  # below, its reciprocal is not within float32


class Encoder(Protocol):
    """How a model turns rows of the user's data into inputs."""

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns; none where they have none."""

    @property
    def fills(self) -> bool:
        """Return whether missing values are filled in all columns."""

    def encode(self, inputs: np.ndarray) -> np.ndarray:
        """Return x (n, d) float32 for rows of a block (n, ...)."""

    def config(self) -> dict[str, Any]:
        """Return the encoder as plain JSON values."""


@dataclass(frozen=True)
class SharedScale:
    """Divide all columns by one number: for pixels, and for columns that are measured in the same unit."""

    scale: Annotated[float, POSITIVE] = 1.0
    names: tuple[str, ...] = ()
    fills: ClassVar[bool] = False  # a missing value is an error

    def __post_init__(self) -> None:
        check_fields(self)

    def encode(self, inputs: np.ndarray) -> np.ndarray:
        """Return the inputs (n, ...) as float32, divided by the scale."""
        x = inputs.astype(np.float32)
        if self.scale != 1.0:
            x *= np.float32(1.0 / self.scale)
        return x

    def config(self) -> dict[str, Any]:
        """Return the scale alone, as models of version 0.1.0 hold it, and the names where there are some."""
        return {"scale": self.scale, **({"names": list(self.names)} if self.names else {})}


@dataclass(frozen=True)
class Number:
    """A column of numbers: x = (value - offset - center) / scale, one input.

    With an indicator one more input is 1 for a missing value.

    The offset is taken off in float64 when rows are packed into blocks, so that large numbers such as years in seconds
    keep their digits in float32. `fill` replaces a missing value before the scaling; None: a missing value is an error.
    """

    kind: ClassVar[str] = "number"
    name: str
    offset: Annotated[float, Interval(float, -LARGEST_OFFSET, LARGEST_OFFSET)] = 0.0
    center: Annotated[float, IN_FLOAT32] = 0.0
    scale: Annotated[float, Interval(float, SMALLEST_SCALE)] = 1.0
    fill: Annotated[float, IN_FLOAT32] | None = None
    indicator: bool = False

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def width(self) -> int:
        """Return the number of inputs."""
        return 1 + self.indicator

    @property
    def fills(self) -> bool:
        """Return whether missing values are filled."""
        return self.fill is not None


@dataclass(frozen=True)
class Category:
    """A column of categories: an input for each value, 1 for the row's value and 0 for the others (one-hot).

    With `other`, one more input stands for values that are rare or unknown; without it an unknown value is an error.
    `fill`: a missing value gives zeros; else it is an error. With an indicator, one more input is 1 for one.
    """

    kind: ClassVar[str] = "category"
    name: str
    values: tuple[str, ...]
    other: bool = True
    fill: bool = False
    indicator: bool = False

    def __post_init__(self) -> None:
        if not all(isinstance(v, str) for v in self.values) or len(set(self.values)) != len(self.values):
            raise ValueError(f"column {self.name!r}: expected distinct names of categories")

    @property
    def width(self) -> int:
        """Return the number of inputs."""
        return len(self.values) + self.other + self.indicator

    @property
    def fills(self) -> bool:
        """Return whether missing values are filled."""
        return self.fill


Column = Number | Category


class _NumberArrays(NamedTuple):
    """The columns of numbers of an encoder, (m,) each."""

    numbers: np.ndarray  # indices of the columns
    inputs: np.ndarray  # indices of their inputs
    centers: np.ndarray
    factors: np.ndarray
    fills: np.ndarray


@dataclass(frozen=True)
class TableEncoder:
    """Encode each column by itself. The inputs follow the order of the columns."""

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        if not 0 < self.width <= MOST_INPUTS:
            raise ValueError(f"expected columns that give 1 to {MOST_INPUTS:,} inputs, found {self.width:,}")

    @cached_property
    def _arrays(self) -> _NumberArrays:
        """What `encode` needs of the columns of numbers, as arrays."""
        firsts = np.cumsum([0, *(column.width for column in self.columns)])
        indices = [index for index, column in enumerate(self.columns) if isinstance(column, Number)]
        numbers = [column for column in self.columns if isinstance(column, Number)]
        return _NumberArrays(
            np.array(indices, np.intp),
            firsts[indices],
            np.array([column.center for column in numbers], np.float32),
            np.array([1.0 / column.scale for column in numbers]).astype(np.float32),
            np.array([0.0 if column.fill is None else column.fill for column in numbers], np.float32),
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def fills(self) -> bool:
        """Return whether missing values are filled in all columns."""
        return all(column.fills for column in self.columns)

    @cached_property
    def width(self) -> int:
        """Return the number of inputs d."""
        return sum(column.width for column in self.columns)

    def encode(self, inputs: np.ndarray) -> np.ndarray:
        """Return x (n, d) for rows of a block (n, c). Raises ValueError where a value is an error."""
        if inputs.ndim != 2 or inputs.shape[1] != len(self.columns):
            raise ValueError(
                f"expected rows of {len(self.columns)} values, got an array of shape {inputs.shape}"
            )
        numbers = self._arrays.numbers
        if self.width == len(numbers) == len(self.columns):  # each column gives one input
            return self._scaled(inputs)[0]
        x = np.zeros((len(inputs), self.width), np.float32)
        first = 0
        if len(numbers):
            x[:, self._arrays.inputs], missing_values = self._scaled(inputs[:, numbers])
            for index, column in enumerate(numbers) if missing_values is not None else ():
                if self.columns[column].indicator:
                    x[:, self._arrays.inputs[index] + 1] = missing_values[:, index]  # type: ignore[index]  # not None here
        for index, column in enumerate(self.columns):
            if isinstance(column, Category):
                _encode_category(column, inputs[:, index], x[:, first : first + column.width])
            first += column.width
        return x

    def values(self, row: np.ndarray) -> list[float | str | None]:
        """Return a row of a block (c,) as the table has it; None for missing values, ANOTHER for unknown categories."""
        return [_value(column, float(value)) for column, value in zip(self.columns, row, strict=True)]

    def _scaled(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return columns of numbers (n, m), scaled, missing values filled; and the mask of these, if there are any."""
        values, missing_values = inputs.astype(np.float32), None
        if inputs.dtype.kind == "f" and values.size and np.isnan(values.min()):
            missing_values = np.isnan(values)
            for index in np.flatnonzero(missing_values.any(axis=0)):
                column = self.columns[self._arrays.numbers[index]]
                if column.fill is None:
                    raise _missing_value(column, missing_values[:, index])
            np.copyto(values, self._arrays.fills, where=missing_values)
        values -= self._arrays.centers
        values *= self._arrays.factors
        return values, missing_values

    def config(self) -> dict[str, Any]:
        """Return the columns as plain JSON values, which `encoder_from_config` reads."""
        return {"columns": [_column_config(column) for column in self.columns]}


def _value(column: Column, value: float) -> float | str | None:
    if np.isnan(value):
        return None
    if isinstance(column, Number):
        return value + column.offset
    return ANOTHER if value == UNKNOWN else column.values[int(value)]


def _encode_category(column: Category, codes: np.ndarray, x: np.ndarray) -> None:
    """Write the inputs of one column of codes (n,) into zeros x (n, width)."""
    missing_values, unknown = np.isnan(codes), codes == UNKNOWN
    if missing_values.any():
        if not column.fill:
            raise _missing_value(column, missing_values)
        if column.indicator:
            x[missing_values, -1] = 1
    if unknown.any() and not column.other:
        row = int(unknown.argmax())
        raise ValueError(
            f"column {column.name!r}: expected one of {_shown(column.values)}, found another in row {row}"
        )
    place = np.where(unknown | missing_values, len(column.values), codes).astype(np.intp)
    rows = np.flatnonzero(~missing_values)
    x[rows, place[rows]] = 1


def _missing_value(column: Column, missing_values: np.ndarray) -> ValueError:
    return ValueError(
        f"column {column.name!r}: expected a value, found a missing value in row {int(missing_values.argmax())}"
        + (f" and {int(missing_values.sum()) - 1:,} more" if missing_values.sum() > 1 else "")
    )


def _shown(values: Sequence[str]) -> str:
    return ", ".join(map(repr, values[:5])) + (f", ... ({len(values):,} values)" if len(values) > 5 else "")


# ---- JSON ----


def names_from_config(names: Any) -> tuple[str, ...]:
    """Return the names of columns. Raises ValueError unless they are a list of strings."""
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"expected a list of the names of columns, found {str(names)[:80]!a}")
    return tuple(names)


def _column_config(column: Column) -> dict[str, Any]:
    values = {
        name: list(value) if isinstance(value, tuple) else value for name, value in vars(column).items()
    }
    return {"kind": column.kind, **values}


def encoder_from_config(config: Any) -> TableEncoder:
    """Build an encoder from the result of `TableEncoder.config()`. Raises ValueError for what does not fit."""
    if not isinstance(config, dict) or set(config) != {"columns"} or not isinstance(config["columns"], list):
        raise ValueError("encoder: expected its columns, found something else")
    return TableEncoder(tuple(map(_column_from_config, config["columns"])))


_KINDS: dict[str, type[Any]] = {kind.kind: kind for kind in (Number, Category)}


def _column_from_config(config: Any) -> Column:
    kind = _KINDS.get(str(config.get("kind"))) if isinstance(config, dict) else None
    if kind is None:
        raise ValueError(
            f"encoder: expected a column of a kind in {', '.join(_KINDS)}, found {str(config)[:80]!a}"
        )
    fields = {key: value for key, value in config.items() if key != "kind"}
    names = {field.name for field in dataclasses.fields(kind)}
    if set(fields) != names or not isinstance(fields["name"], str):
        raise ValueError(f"encoder: expected the fields of a {kind.kind}, found {str(sorted(fields))[:80]!a}")
    flags = ("indicator",) if kind is Number else ("other", "fill", "indicator")
    if not all(isinstance(fields[flag], bool) for flag in flags):
        raise ValueError(
            f"encoder: column {fields['name'][:80]!a}: expected true or false for {', '.join(flags)}"
        )
    if kind is Category:
        if not isinstance(fields["values"], list):
            raise ValueError(f"encoder: column {fields['name'][:80]!a}: expected a list of values")
        fields["values"] = tuple(fields["values"])
    return kind(**fields)
