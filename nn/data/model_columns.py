"""Find the columns that a trained network takes in a table of other rows: by their names, or else by their order."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from nn.core.errors import DataError
from nn.data.columns import Columns, Reference, Roles, matching

SHOWN = 10  # names of columns in a message
_PART = re.compile(r"(.*)\[(\d+)\]", re.DOTALL)


class Offered(NamedTuple):
    """The columns of a table whose rows a model is to predict or to be trained on."""

    argument: str
    path: str
    names: Sequence[str]  # of its header, or none
    widths: Sequence[int]  # the inputs in each column: as many as the values of an array, else 1

    @property
    def place(self) -> str:
        """Return the argument and the path, for messages."""
        return f"{self.argument}: {self.path}"


class Found(NamedTuple):
    """Which columns of a table a model takes, and what the others are for."""

    columns: Columns
    groups: tuple[Group, ...]  # the columns of the model that stand in each column of inputs
    kept: tuple[int, ...]  # columns that predictions carry along, the id first
    notes: tuple[str, ...]


def find(
    model_names: Sequence[str], width: int, offered: Offered, roles: Roles, kept: Sequence[Reference]
) -> Found:
    """Find the columns of a model of `width` inputs: by their names where both have names, else by their order.

    Raises DataError for columns that are missing, not distinct or too many.
    """
    names, path, total = offered.names, offered.path, len(offered.widths)
    by_names = by_name(model_names, names, offered.place)
    if by_names is not None:  # other columns are ignored
        roles = roles._replace(features=(), drop=())
    columns = Columns.of(roles, names, total, path)
    carried = tuple(sorted(matching(kept, names, total, path, "--keep")))
    if columns.id is not None:
        carried = (columns.id, *(index for index in carried if index != columns.id))
    if by_names is not None:
        groups = groups_of(model_names, names)
        return Found(columns._replace(inputs=by_names), tuple(groups), carried, ())
    inputs = columns.inputs
    if sum(offered.widths[index] for index in inputs) > width:
        inputs = tuple(index for index in inputs if index not in carried)
    refuse_other_width(width, sum(offered.widths[index] for index in inputs), model_names, offered.place)
    groups = [Group(names[index] if names else str(index), offered.widths[index]) for index in inputs]
    note = f"{offered.place} has no header: its columns are taken in the order of the model's"
    notes = (note,) if have_names(model_names) else ()
    return Found(columns._replace(inputs=inputs), tuple(groups), carried, notes)


class Group(NamedTuple):
    """Columns of a model that stand in one column of a table: one, or all values of an array."""

    name: str
    width: int = 1


def groups_of(model_names: Sequence[str], names: Sequence[str]) -> list[Group]:
    """Return the columns of a model as they stand in a table with columns of these names.

    pixels[0], pixels[1], ... are the values of the array `pixels`, unless the table has columns of such names.
    """
    groups: list[Group] = []
    for name in model_names:
        part = None if name in names else _PART.fullmatch(name)
        if part is None:
            groups.append(Group(name))
        elif groups and groups[-1].name == part[1] and groups[-1].width == int(part[2]):
            groups[-1] = groups[-1]._replace(width=groups[-1].width + 1)
        else:
            groups.append(Group(part[1]))
    return groups


def have_names(model_names: Sequence[str]) -> bool:
    """Return whether the columns of a model have names, and not their positions in a table without a header."""
    return bool(model_names) and not all(name.isascii() and name.isdigit() for name in model_names)


def by_name(model_names: Sequence[str], names: Sequence[str], place: str) -> tuple[int, ...] | None:
    """Return the number of the table's column of each group; None where they are to be taken in their order.

    `place`: the argument and the path, for messages. Raises DataError for columns that are missing or not distinct.
    """
    if not (have_names(model_names) and names):
        return None
    groups = groups_of(model_names, names)
    missing = [group.name for group in groups if group.name not in names]
    if missing:
        raise DataError(
            f"{place}: expected the columns of the model, found none called {listed(missing)}; it has {listed(names)}"
        )
    doubled = [group.name for group in groups if list(names).count(group.name) > 1]
    if doubled:
        raise DataError(f"{place}: expected one column called {doubled[0]!r}, found several")
    return tuple(list(names).index(group.name) for group in groups)


def refuse_other_width(expected: int, found: int, model_names: Sequence[str], place: str) -> None:
    """Raise DataError where columns that are taken in their order are not as many as those of the model."""
    if found != expected:
        names = f" ({listed(model_names)})" if have_names(model_names) else ""
        raise DataError(
            f"{place}: expected {expected:,} input values a row, as the model takes{names}, found {found:,}; "
            "--label-column, --id-column and --drop-columns say which columns are no inputs"
        )


def listed(names: Sequence[str]) -> str:
    """Return the first names, for a message."""
    more = f", ... ({len(names):,} columns)" if len(names) > SHOWN else ""
    return ", ".join(map(repr, names[:SHOWN])) + more
