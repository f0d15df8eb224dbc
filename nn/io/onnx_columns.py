"""Columns of the user's data as nodes of an ONNX graph: numbers and categories become inputs x (n, d) of a network.

The operations on numbers are those of nn/data/encoding.py, in the same order and precision: x has the same bits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from nn.data.encoding import Category, Column, Number, SharedScale, TableEncoder
from nn.data.model_columns import groups_of, have_names
from nn.data.tables import name_of
from nn.io.onnx_graph import TEXT, Graph
from nn.models.sequential import Sequential

F = np.float32
ROWS = "inputs"  # the name of an input of all columns
MISSING_VALUES = (
    "",
    "\0",
)  # texts that stand for a missing value, the first that is no category: there is no null in ONNX


def add_columns(graph: Graph, model: Sequential, one_input: bool | None) -> str:
    """Add the inputs of a model and its encoder. Return x (n, d) float32.

    one_input: one input of all columns, and not one per column; None: for images, and where columns have no names.
    Raises ValueError for one input of categories. x is not finite in rows that the model refuses.
    """
    columns = _columns(model)
    has_categories = any(isinstance(column, Category) for column in columns)
    if one_input is None:
        is_table = have_names(model.encoder.names) and len(model.input_shape) == 1
        one_input = not (is_table or has_categories)
    if one_input and has_categories:
        raise ValueError("one_input: expected a model of numbers alone, found columns of categories")
    cells: dict[int, str] = {}
    if one_input:
        is_exact = not any(column.offset for column in columns if isinstance(column, Number))
        numbers = [graph.input(ROWS, F if is_exact else np.float64, len(columns))]
    else:
        numbers, cells = _add_inputs(graph, columns)
    return _add_encoder(graph, columns, numbers, cells)


def _columns(model: Sequential) -> tuple[Column, ...]:
    """Return the columns of a model; those of one shared scale are numbers that are each divided by it."""
    encoder = model.encoder
    if isinstance(encoder, TableEncoder):
        return encoder.columns
    assert isinstance(encoder, SharedScale)
    names = encoder.names or tuple(map(str, range(model.columns)))
    return tuple(Number(name, scale=encoder.scale) for name in names)


def _add_inputs(graph: Graph, columns: Sequence[Column]) -> tuple[list[str], dict[int, str]]:
    """Add an input per column, or per array. Return those of numbers, and those of categories by column."""
    numbers, cells, first = [], {}, 0
    for name, width in _arrays(columns):
        column = columns[first]
        is_text = isinstance(column, Category) and not are_numbers(column.values)
        cell = graph.input(name, TEXT if is_text else np.float64, width)
        if isinstance(column, Number):
            numbers.append(cell)
        else:
            cells[first] = cell
        first += width
    return numbers, cells


def _arrays(columns: Sequence[Column]) -> Iterator[tuple[str, int]]:
    """Yield (name, width) of each input: the columns pixels[0], pixels[1], ... come in one array, pixels."""
    names = [column.name for column in columns]
    first = 0
    for name, width in groups_of(names, ()):
        own = names[first : first + width]
        if own == [f"{name}[{index}]" for index in range(width)]:
            yield name, width
        else:
            yield from ((name, 1) for name in own)
        first += width


def are_numbers(values: Sequence[str]) -> bool:
    """Return whether categories are numbers, each in the form in which numbers are named (`name_of`)."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return False
    return bool(numbers) and bool(np.isfinite(numbers).all()) and [*map(name_of, numbers)] == list(values)


def _add_encoder(graph: Graph, columns: Sequence[Column], numbers: list[str], cells: dict[int, str]) -> str:
    """Return x: first all numbers, their indicators and each category's inputs; then in the order of the columns."""
    firsts = np.cumsum([0, *(column.width for column in columns)])
    parts, places = [], []
    if numbers:
        own = [index for index, column in enumerate(columns) if isinstance(column, Number)]
        marked = [index for index in own if columns[index].indicator]
        parts += _add_numbers(graph, [columns[index] for index in own], graph.concat(numbers))  # type: ignore[misc]
        places += [firsts[own], firsts[marked] + 1]
    for index, cell in cells.items():
        parts += _add_category(graph.below(f"{columns[index].name}."), columns[index], cell)  # type: ignore[arg-type]
        places.append(np.arange(firsts[index], firsts[index + 1]))
    x, order = graph.concat(parts), np.argsort(np.concatenate(places))
    return x if (order == np.arange(len(order))).all() else graph.add("Gather", x, order, axis=1)


def _add_numbers(graph: Graph, columns: Sequence[Number], raw: str) -> list[str]:
    """Return columns of numbers (n, m), scaled and with missing values filled; and the indicators (n, q), if any."""
    offsets, centers, scales = (
        np.array([getattr(column, name) for column in columns]) for name in ("offset", "center", "scale")
    )
    # A missing value without a fill stays NaN.
    fills = np.array([np.nan if column.fill is None else column.fill for column in columns], F)
    marked = [index for index, column in enumerate(columns) if column.indicator]
    values = graph.add("Sub", raw, offsets) if offsets.any() else raw
    values = graph.cast(values, F)
    indicators = []
    if marked or not np.isnan(fills).all():
        missing_values = graph.add("IsNaN", values)
        values = graph.add("Where", missing_values, fills, values)
        if marked:
            indicators.append(graph.add("Gather", graph.cast(missing_values, F), np.array(marked), axis=1))
    if centers.any():
        values = graph.add("Sub", values, centers.astype(F))
    if (scales != 1).any():
        values = graph.add("Mul", values, (1.0 / scales).astype(F))
    return [values, *indicators]


def _add_category(graph: Graph, column: Category, cell: str) -> list[str]:
    """Return the inputs of a column of categories, in up to three parts: values (n, k), others, missing.

    They are NaN in rows with a missing value or an unknown category that the model refuses.
    """
    known, missing_value = _add_known(graph, column.values, cell)
    found = graph.concat([*known, missing_value])
    other = graph.add("Sub", F(1), graph.sum(found))
    parts = [*known]
    if column.other:
        parts.append(other)
    if column.indicator:
        parts.append(missing_value)
    refused = [
        value for value, is_input in ((missing_value, column.fill), (other, column.other)) if not is_input
    ]
    if refused and parts:
        accepted = graph.add("Sub", F(1), graph.sum(graph.concat(refused)))
        parts[0] = graph.add("Div", parts[0], accepted)  # by 1, or 0 / 0
    return parts


def _add_known(graph: Graph, values: Sequence[str], cell: str) -> tuple[list[str], str]:
    """Return 1 for the category of each row, (n, k), else 0; and 1 for a missing value, (n, 1)."""
    if are_numbers(values):
        known = graph.add("Equal", cell, np.array([[float(value) for value in values]]))
        return [graph.cast(known, F)], graph.cast(graph.add("IsNaN", cell), F)
    missing_value = next(text for text in MISSING_VALUES if text not in values)
    return [_one_hot(graph, values, cell)] if values else [], _one_hot(graph, [missing_value], cell)


def _one_hot(graph: Graph, texts: Sequence[str], cell: str) -> str:
    hot = graph.add("OneHotEncoder", cell, cats_strings=list(texts), zeros=1)  # (n, 1, k)
    return graph.add("Squeeze", hot, np.array([1]))
