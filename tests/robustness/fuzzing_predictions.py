"""Tables offered to models: predictions are those of the description and the weights in the model file."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from nn.core import npz
from nn.models import model_file
from nn.models.classifier import Classifier, Regressor, predictor
from tests.robustness.fuzzing_common import ACCEPTED, FLOAT32, REFUSED, Random, changed_json, one_line
from tests.robustness.fuzzing_containers import KINDS, contained, is_missing, name, values_of
from tests.robustness.fuzzing_encoders import NO_NAMES, ODD, content_of, description, is_whole


def encoder_file(random: Random) -> str:
    """A model file whose description is changed a little: refused, or the same model as the description says."""
    config = description(random)
    width, units = config["input_shape"][0], config["layers"][0]["units"]
    key = random.choice(["encoder", "encoder", "labels", "target", ""])
    if random.random() < 0.85 and config.get(key):
        config[key] = changed_json(random, config[key])
    elif random.random() < 0.5 and config["encoder"]["columns"]:
        column = random.choice(config["encoder"]["columns"])
        column[random.choice(list(column))] = random.choice(
            [*ODD, ["a", "a"], ["a", 1], "number", "category", "c0"]
        )
    elif random.random() < 0.5:
        config = changed_json(random, config)
    content = content_of(random, config, width, units)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            model = predictor(*model_file.from_bytes(content))
        except ValueError as error:
            one_line(str(error))
            assert not is_whole(config, width, units), f"{config} refused: {error}"
            return REFUSED
        assert is_whole(config, width, units), f"{config} accepted"
        columns = config.get("encoder", NO_NAMES)["columns"]
        table = {column["name"]: [_usual(random, column) for _ in range(3)] for column in columns}
        judged(model, config, content, table, table)
    return ACCEPTED


def _usual(random: Random, column: dict[str, Any]) -> Any:
    """A value that a column accepts."""
    if column["kind"] == "number":
        return random.choice([0, 1.5, -3.0, 70_000])
    return random.choice(column["values"] + ["another"] * column["other"] or [None])


def prediction(random: Random) -> str:
    """A table offered to a model: other orders, missing and further columns, unknown categories, missing values."""
    config = description(random)
    width, units = config["input_shape"][0], config["layers"][0]["units"]
    if not width:
        return REFUSED
    content = content_of(random, config, width, units)
    rows, missing_values = random.randint(1, 6), random.choice([0, 0, 0.3])
    table = {}
    for column in random.sample(config["encoder"]["columns"], len(config["encoder"]["columns"])):
        table[column["name"]] = _offered(random, column, rows, missing_values)
    if random.random() < 0.3:
        table["more"] = values_of(random, "texts", rows, 0.1)
    if random.random() < 0.05:
        table.pop(random.choice(list(table)))
    model = predictor(*model_file.from_bytes(content))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return judged(model, config, content, table, contained(table, random))


def judged(model: Any, config: dict, content: bytes, table: dict, offered: Any) -> str:
    """What becomes of a table that is offered to a model."""
    shown = f"{config} of {offered!r}"
    outputs = _outputs(config, npz.from_bytes(content), table)
    try:
        found = model.predict(offered)
    except ValueError as error:
        one_line(str(error))
        assert outputs is None or not np.abs(outputs).max(initial=0) < FLOAT32 / 1e3, (
            f"{shown} refused: {error}"
        )
        return REFUSED
    assert outputs is not None, f"{shown} predicted {found}"
    _judge(model, config, outputs, found, shown)
    return ACCEPTED


def _offered(random: Random, column: dict[str, Any], rows: int, missing_values: float) -> list[Any]:
    if random.random() < 0.06:
        return values_of(random, random.choice(list(KINDS)), rows, missing_values)
    if column["kind"] == "number":
        return values_of(
            random,
            random.choice(["integers", "booleans", "decimals", "small integers"]),
            rows,
            missing_values,
        )
    known = column["values"] or ["a"]
    unknown = random.random() < 0.2
    return [
        random.choice([None, math.nan])
        if random.random() < missing_values
        else random.choice(known + ["another"] * unknown)
        for _ in range(rows)
    ]


def encoded(config: dict[str, Any], table: dict[str, list[Any]]) -> np.ndarray | None:
    """The inputs (n, d) of a table, value by value; None where the model is to refuse it."""
    columns = config.get("encoder", NO_NAMES)["columns"]
    if not columns:
        return None
    names = [column["name"] for column in columns]
    if not set(names) <= set(table) or len(set(names)) < len(names):
        return None
    rows = []
    for row in zip(*(table[column["name"]] for column in columns), strict=True):
        inputs: list[Any] = []
        for column, value in zip(columns, row, strict=True):
            own = _inputs(column, value)
            if own is None:
                return None
            inputs += own
        rows.append(inputs)
    return np.array(rows, np.float64).reshape(len(rows), -1)


def _inputs(column: dict[str, Any], value: Any) -> list[Any] | None:
    is_none = isinstance(value, np.datetime64 | list | tuple | dict) or hasattr(value, "isoformat")
    if is_none and type(value).__name__ != "NaTType":
        return None
    missing_value = [1] * column["indicator"] if is_missing(value) else [0] * column["indicator"]
    if column["kind"] == "category":
        if is_missing(value):
            return [0] * (len(column["values"]) + column["other"]) + missing_value if column["fill"] else None
        if name(value) not in column["values"] and not column["other"]:
            return None
        known = [int(name(value) == other) for other in column["values"]]
        return known + [int(not any(known))] * column["other"] + missing_value
    try:
        number = math.nan if is_missing(value) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    missing_value = [int(number != number)] * column["indicator"]
    if abs(number) > FLOAT32 or (number != number and column["fill"] is None):
        return None
    packed = column["fill"] if number != number else number - column["offset"]
    scaled = (np.float32(packed) - np.float32(column["center"])) * np.float32(1 / column["scale"])
    return [scaled, *missing_value]


def _outputs(config: dict, arrays: dict[str, np.ndarray], table: dict) -> np.ndarray | None:
    """The outputs (n, units) in float64, and below them how far float32 may be from each."""
    with np.errstate(over="ignore", invalid="ignore"):
        x = encoded(config, table)
    if x is None:
        return None
    weights = arrays["0.W"].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return np.concatenate([x @ weights, 1e-4 * (np.abs(x) @ np.abs(weights) + 1)])


def _judge(model: Any, config: dict, outputs: np.ndarray, found: np.ndarray, shown: str) -> None:
    """Raise AssertionError where predictions are not those of the description and the weights in the file."""
    outputs, error = np.split(outputs, 2)
    if isinstance(model, Regressor):
        scale, mean = config["target"]["scale"], config["target"]["mean"]
        allowed = error[:, 0] * scale + 1e-9 * abs(mean)
        assert (np.abs(outputs[:, 0] * scale + mean - found) <= allowed).all(), (found, shown)
        return
    assert isinstance(model, Classifier)
    labels = config.get("labels") or list(range(outputs.shape[1]))
    for row, label in enumerate(found.tolist()):
        assert label in labels, (label, shown)
        chosen = labels.index(label)
        assert outputs[row, chosen] >= outputs[row].max() - 2 * error[row].max(), (row, label, shown)
