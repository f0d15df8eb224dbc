"""Tables in Python as `nn.fit` takes them: the rows that are learned from are those of the table."""

from __future__ import annotations

import datetime
import decimal
import math
import warnings
from collections import Counter
from typing import Any

import numpy as np

from nn.training.local_rows import LocalRows, rows_of
from nn.training.recipe import Recipe
from tests.robustness.fuzzing_common import ACCEPTED, FLOAT32, REFUSED, Random, one_line
from tests.robustness.fuzzing_containers import (
    KINDS,
    NONE,
    USUAL,
    WORDS,
    contained,
    is_missing,
    name,
    values_of,
)


def python_table(random: Random) -> str:
    """A table and its labels, as `nn.fit` checks them before it trains."""
    rows, kinds = random.randint(1, 25), {}
    for number in range(random.randint(1, 5)):
        usual = random.random() < 0.93
        kinds[f"c{number}" if random.random() < 0.9 else random.choice(WORDS)] = random.choice(
            USUAL if usual else list(KINDS)
        )
    missing_values = random.choice([0, 0, 0.1, 0.5])
    table = {key: values_of(random, kind, rows, missing_values) for key, kind in kinds.items()}
    if random.random() < 0.03:
        table[random.choice(list(table))] = [0.5] * (rows + 1)
    categorical = [key for key in table if random.random() < 0.1 and kinds[key] != "floats" and key.strip()]
    missing = random.choice(["error", "mean", "drop", "indicator", "zero"])
    task = "regression" if random.random() < 0.2 else "classification"
    usual_labels = ["few strings", "small integers", "booleans", "integers"]
    label_kind = random.choice(usual_labels) if random.random() < 0.8 else random.choice(list(KINDS)[:-1])
    labels = values_of(random, label_kind, rows, 0.01)
    cap = random.choice([2, 100])
    recipe = Recipe.of(
        missing=missing,
        task=task,
        max_categories=cap,
        **({"categorical": [f"name={key}" for key in categorical]} if categorical else {}),
    )
    in_table = random.random() < 0.5
    offered = contained({**table, "label": labels} if in_table else table, random)
    if in_table and getattr(getattr(offered, "dtypes", {}).get("label"), "kind", "") == "f":
        labels = offered["label"].tolist()  # pandas has rounded whole numbers beside real ones to these
    shown = f"{offered!r} labels {labels} of {recipe.task} {missing} categorical {categorical}"
    expected = _expected(table, kinds, categorical, labels, missing, task == "regression")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = rows_of(offered, "label" if in_table else labels, None, recipe)
        except ValueError as error:
            one_line(str(error))
            assert expected is None, f"{shown} refused: {error}"
            return REFUSED
    assert expected is not None, f"{shown} read as {found}"
    _judge(found, table, kinds, categorical, cap, labels, expected, shown)
    return ACCEPTED


def _expected(table, kinds, categorical, labels, missing, is_regression) -> list[int] | None:
    """The rows that are learned from, or None where something is to be refused."""
    rows = len(labels)
    if any(len(values) != rows for values in table.values()):
        return None
    for key, values in table.items():
        filled = [value for value in values if not is_missing(value)]
        kind = kinds[key]
        if kind in ("dates", "lists") and (filled or any(isinstance(v, np.datetime64) for v in values)):
            return None
        if kind in NONE and key not in categorical and any(not abs(value) <= FLOAT32 for value in filled):
            return None

    if any(is_missing(label) for label in labels):
        return None
    with_missing = {row for values in table.values() for row in range(rows) if is_missing(values[row])}
    if with_missing and missing == "error":
        return None
    kept = [row for row in range(rows) if missing != "drop" or row not in with_missing]
    if not kept:
        return None
    if is_regression:
        read = [_target(label) for label in labels]
        return kept if None not in read and all(abs(value) <= FLOAT32 for value in read) else None
    return kept if _are_classes(labels, kept) else None


def _target(label: Any) -> Any:
    """A number, also where it is written as a text; None for what is none."""
    if isinstance(label, str | bytes):
        return float(label) if label in ("1", "2", b"1") else None
    return label if isinstance(label, int | float | np.number | np.bool_ | decimal.Decimal) else None


def _are_classes(labels: list[Any], kept: list[int]) -> bool:
    if any(isinstance(label, list | tuple | dict | datetime.date | np.datetime64) for label in labels):
        return False
    numbers = [label for label in labels if not isinstance(label, str | bytes)]
    if len(numbers) == len(labels) and any(
        not abs(label) < math.inf or label != int(label) for label in labels
    ):
        return False
    is_numbered = len(numbers) == len(labels) and min(map(int, names_as_numbers(labels))) == 0
    if is_numbered and max(map(int, names_as_numbers(labels))) >= 1_000:
        return False
    return len({name(labels[row]) for row in kept}) > 1


def names_as_numbers(labels: list[Any]) -> list[Any]:
    """The labels but booleans, which are names; one number at least."""
    return [label for label in labels if not isinstance(label, bool | np.bool_)] or [1]


def _judge(found: LocalRows, table, kinds, categorical, cap, labels, kept, shown) -> None:
    """Raise AssertionError where rows are not what the table holds."""
    columns = found.facts.columns
    assert [column.name for column in columns] == list(table), shown
    assert found.inputs.shape == (len(kept), len(table)), shown
    for index, (column, (key, values)) in enumerate(zip(columns, table.items(), strict=True)):
        filled = [value for value in values if not is_missing(value)]
        read = found.inputs[:, index].astype(np.float64).tolist()
        # A column of missing values alone, or of other types than its kind's, is what its values are.
        is_number = key not in categorical and not any(isinstance(value, str | bytes) for value in filled)
        assert (column.values is None) == is_number, (column, shown)
        if is_number:
            offset = float(filled[0]) if filled and 65_536 <= abs(filled[0]) <= 1e30 else 0.0
            with np.errstate(under="ignore"):
                true = [
                    math.nan if is_missing(values[row]) else np.float32(float(values[row]) - offset)
                    for row in kept
                ]
            assert column.offset == offset, (column, shown)
            assert np.array_equal(np.array(true, np.float64), read, equal_nan=True), (true, read, shown)
            continue
        counts = Counter(map(name, filled))
        frequent = sorted(counts, key=lambda value: (-counts[value], value))[:cap]
        assert column.values == tuple(sorted(frequent)), (column, shown)
        for row, code in zip(kept, read, strict=True):
            value = None if is_missing(values[row]) else name(values[row])
            said = None if math.isnan(code) else column.values[int(code)] if code >= 0 else -1
            assert said == (-1 if value is not None and value not in frequent else value), (row, said, shown)
    decoded = found.facts.labeled.decode(np.asarray(found.facts.labels)).tolist()
    true_labels = [labels[row] for row in kept]
    if found.facts.classes == 1:
        assert decoded == list(map(float, true_labels)), (decoded, shown)
    else:
        assert list(map(name, decoded)) == list(map(name, true_labels)), (decoded, shown)
