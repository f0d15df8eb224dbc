"""Which columns of a table are inputs, labels, weights and so on: the user's references, resolved against a table.

A reference is a position (a whole number, from the end if negative) or a text: a name of the header, `name=0` for the
column called 0, or in lists a pattern such as pixel*, in which * stands for any text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from nn.core.constraints import Interval
from nn.core.errors import DataError
from nn.core.options import Reader

Reference = int | str

NAME = "name="  # before a name that would read as a position or as a pattern
SHOWN = 10  # names of columns in a message
_POSITION = re.compile(r"[+-]?\d{1,9}", re.ASCII)


class ColumnReference(Reader):
    """Read a reference to one column."""

    metavar = "COLUMN"

    def text(self, word: str) -> Any:
        """Return a position for a whole number, else the text."""
        return self.checked(int(word) if _POSITION.fullmatch(word) else word, word)

    def __contains__(self, value: object) -> bool:
        if isinstance(value, str):
            return value.strip() not in ("", NAME)
        return value in Interval(int)

    def __str__(self) -> str:
        return "a column: a number, as 0 for the first or -1 for the last, or a name of the header"


class ColumnList(Reader):
    r"""Read references separated by commas, or a JSON list; `\,` is a comma in a name."""

    metavar = "LIST"
    _one = ColumnReference()

    def text(self, word: str) -> Any:
        """Accept words separated by commas."""
        parts = re.split(r"(?<!\\),", word)
        return tuple(self._one.text(part.replace("\\,", ",")) for part in parts)

    def json(self, value: Any) -> Any:
        """Accept the text of the command line, or a list of references."""
        if isinstance(value, str):
            return self.text(value)
        return self.checked(tuple(map(self._one.json, value)) if isinstance(value, list) else value, value)

    def plain(self, value: Any) -> Any:
        """Return a list."""
        return list(value)

    def __contains__(self, value: object) -> bool:
        return isinstance(value, tuple) and all(reference in self._one for reference in value)

    def __str__(self) -> str:
        return "a list of columns"


class Roles(NamedTuple):
    """The user's references to the columns of a table."""

    label: Reference | None = None
    weight: Reference | None = None
    id: Reference | None = None  # names the rows and is no input
    validation: Reference | None = None
    features: tuple[Reference, ...] = ()  # the inputs; none: all columns without another role
    drop: tuple[Reference, ...] = ()

    @property
    def use_names(self) -> bool:
        """Return whether a reference is a name."""
        single = (self.label, self.weight, self.id, self.validation)
        return any(isinstance(reference, str) for reference in (*single, *self.features, *self.drop))


class Columns(NamedTuple):
    """Columns by their numbers from 0; None where no column has the role."""

    width: int  # of the table
    inputs: tuple[int, ...]
    label: int | None = None
    weight: int | None = None
    validation: int | None = None
    id: int | None = None

    @classmethod
    def of(cls, roles: Roles, names: Sequence[str], width: int, path: str) -> Columns:
        """Resolve references for a table of `width` columns; `names` are those of its header, or none.

        Raises DataError where a column does not exist or has two roles, and where no inputs are left.
        """
        table = _Table(names, width, path)
        found: dict[str, int] = {}
        for role in ("label", "weight", "validation", "id"):
            reference = getattr(roles, role)
            if reference is None:
                continue
            column = table.column(reference, f"--{role}-column")
            taken = next((other for other, theirs in found.items() if theirs == column), None)
            if taken is not None:
                raise DataError(
                    f"--{role}-column: expected another column than the {taken}'s, found {reference}"
                )
            found[role] = column
        dropped = table.columns(roles.drop, "--drop-columns")
        wanted = table.columns(roles.features, "--features") if roles.features else range(width)
        excluded = {*found.values(), *dropped}
        inputs = tuple(column for column in sorted(wanted) if column not in excluded)
        if not inputs:
            used = [*(f"--{role}-column" for role in found), *(["--drop-columns"] if roles.drop else [])]
            option = "--features" if roles.features else (used or ["--label-column"])[-1]
            raise DataError(f"{option}: expected columns for inputs too, found {width} in {path}")
        return cls(width, inputs, **found)

    @property
    def has_sides(self) -> bool:
        """Return whether a column holds labels or says which rows are for validation."""
        return self.label is not None or self.validation is not None

    @property
    def take_all(self) -> bool:
        """Return whether all columns are inputs, in their order."""
        return self.inputs == tuple(range(self.width))

    def unread(self) -> Columns:
        """Return the columns of a test set: its weights, its validation rows and its ids are not read."""
        return self._replace(weight=None, validation=None, id=None)


def columns_of_test(
    roles: Roles, train: Columns, train_names: Sequence[str], names: Sequence[str], width: int, path: str
) -> Columns:
    """Resolve the columns of a test set, by name where both have headers that allow it, else by position.

    By name, columns may stand in any order, and others are left out. Raises DataError where one is missing. By position
    the test set may leave out columns that only training needs: weights, validation rows, ids.
    """
    by_name = _by_name(roles, train, train_names, names, path)
    if by_name is not None:
        return by_name._replace(width=width)
    optional = [role for role in ("weight", "validation", "id") if getattr(roles, role) is not None]
    ways = [left_out for count in range(len(optional) + 1) for left_out in combinations(optional, count)]
    # First those that give the training set's width: of others, columns may be as many and yet not the same.
    for left_out in sorted(ways, key=lambda columns: width + len(columns) != train.width):
        columns = _without(roles, train_names, names, width, path, left_out)
        if columns is not None and len(columns.inputs) == len(train.inputs):
            return columns.unread()
    return Columns.of(roles, names, width, path).unread()


def _without(
    roles: Roles,
    train_names: Sequence[str],
    names: Sequence[str],
    width: int,
    path: str,
    left_out: tuple[str, ...],
) -> Columns | None:
    """Resolve references as if the table had the columns that it leaves out, and renumber; None where that fails."""
    full = width + len(left_out)
    known = train_names if len(train_names) == full else names
    try:
        columns = Columns.of(roles, known if len(known) == full else (), full, path)
    except DataError:
        return None
    gone = [getattr(columns, role) for role in left_out]

    def moved(column: int | None) -> int | None:
        return None if column is None else column - sum(other < column for other in gone)

    inputs = tuple(column - sum(other < column for other in gone) for column in columns.inputs)
    return Columns(width, inputs, moved(columns.label))


def _by_name(
    roles: Roles, train: Columns, train_names: Sequence[str], names: Sequence[str], path: str
) -> Columns | None:
    """Look up the columns of a training set by their names; None where they are to be taken by position."""
    if not train_names or not names:
        return None
    inputs = [train_names[column] for column in train.inputs]
    if len(set(inputs)) < len(inputs) or any(list(names).count(name) > 1 for name in inputs if name in names):
        return None
    missing = [name for name in inputs if name not in names]
    if missing and not roles.use_names:
        return None
    table = _Table(names, len(names), path)
    if missing:
        raise DataError(
            f"TEST_IMAGES: expected the columns of TRAIN_IMAGES, found none called "
            f"{', '.join(map(repr, missing[:SHOWN]))} in {path}; {table.listed()}"
        )
    label = None
    if roles.label is not None:
        name = train_names[train.label] if train.label is not None else roles.label
        if isinstance(name, str) and name not in names:
            if not roles.use_names and len(names) == len(train_names):
                return None
            raise DataError(
                f"TEST_IMAGES: expected the column {name!r} with the labels in {path}, found {len(names)} columns "
                f"without it; has this file no labels? {table.listed()}"
            )
        label = table.column(NAME + name if isinstance(name, str) else name, "--label-column")
    return Columns(len(names), tuple(list(names).index(name) for name in inputs), label)


class _Table(NamedTuple):
    """The header of a table, against which references are resolved."""

    names: Sequence[str]
    width: int
    path: str

    def column(self, reference: Reference, option: str) -> int:
        """Return the number of the column that a reference means."""
        if isinstance(reference, int):
            if not (self.width > 1 and -self.width <= reference < self.width):
                raise DataError(
                    f"{option}: expected a column in {-self.width}..{self.width - 1} and at least one more, "
                    f"found {reference} with {self.width} values a row in {self.path}"
                )
            return reference % self.width
        name = reference.removeprefix(NAME)
        found = [column for column, other in enumerate(self.names) if other == name]
        if len(found) == 1:
            return found[0]
        raise self._unknown(name, option, len(found))

    def columns(self, references: Iterable[Reference], option: str) -> set[int]:
        """Return the numbers of the columns that a list of references means."""
        found: set[int] = set()
        for reference in references:
            if isinstance(reference, str) and "*" in reference and not reference.startswith(NAME):
                pattern = re.compile(".*".join(map(re.escape, reference.split("*"))), re.DOTALL)
                matching = {column for column, name in enumerate(self.names) if pattern.fullmatch(name)}
                if not matching:
                    raise self._unknown(reference, option, 0)
                found |= matching
            else:
                found.add(self.column(reference, option))
        return found

    def _unknown(self, name: str, option: str, count: int) -> DataError:
        if not self.names:
            return DataError(
                f"{option}: expected the number of a column, since {self.path} has no header, found {name!r}"
            )
        if count:
            return DataError(
                f"{option}: expected one column called {name!r} in {self.path}, found {count}; give its number, "
                "from 0"
            )
        close = difflib.get_close_matches(name, self.names, 1, 0.5)
        meant = f"; did you mean {close[0]!r}?" if close else ";"
        return DataError(f"{option}: expected a column of {self.path}, found {name!r}{meant} {self.listed()}")

    def listed(self) -> str:
        """Return which columns there are, for a message."""
        shown = ", ".join(self.names[:SHOWN])
        return f"it has {shown}{f', ... ({len(self.names):,} columns)' if len(self.names) > SHOWN else ''}"


def matching(
    references: Iterable[Reference], names: Sequence[str], width: int, path: str, option: str
) -> set[int]:
    """Return the numbers of the columns that a list of references means. Raises DataError for one that is unknown."""
    return _Table(names, width, path).columns(references, option)
