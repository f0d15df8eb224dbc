"""Models of tables: their descriptions in model files, changed a little, and their predictions for any table."""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import numpy as np

from nn.core import npz
from tests.robustness.fuzzing_common import FLOAT32, Random

ODD = [0, 0.0, -1, 1e-45, 1e-310, 1e39, 1e308, 10**400, True, None, "1", "NaN", [], -1e-3, 0.5]
NO_NAMES: dict[str, list[Any]] = {"columns": []}  # of a model of an array
FIELDS = {
    "number": {"kind", "name", "offset", "center", "scale", "fill", "indicator"},
    "category": {"kind", "name", "values", "other", "fill", "indicator"},
}


def description(random: Random) -> dict[str, Any]:
    """The description of a model of a table with one dense layer, as version 2 of the format has it."""
    columns: list[dict[str, Any]] = []
    for number in range(random.randint(1, 4)):
        indicator = random.random() < 0.3
        if random.random() < 0.5:
            numbers = {
                "offset": random.choice([0.0, 0, 70_000.25, 1.7e9]),
                "center": random.choice([0.0, 1, -2.5, 1e30]),
                "scale": random.choice([1.0, 2, 0.25, 1e-3, 255.0]),
                "fill": random.choice([None, 0.0, 1.5, -3]),
            }
            columns.append({"kind": "number", "name": f"c{number}", **numbers, "indicator": indicator})
        else:
            values = sorted(
                random.sample(["a", "b", "red", "true", "1", "0.5", "東京", ""], random.randint(0, 4))
            )
            flags = {key: random.random() < 0.5 for key in ("other", "fill")}
            columns.append(
                {"kind": "category", "name": f"c{number}", "values": values, **flags, "indicator": indicator}
            )
    width = sum(map(width_of, columns))
    classes = random.choice([2, 3])
    labels = random.choice([None, ["no", "yes", "maybe"], [1, 2, 3], [-1, 1.5, 7], [False, True]])
    is_regression = random.random() < 0.3
    outcome: dict[str, Any] = {"target": {"mean": 12.5, "scale": 4.0}} if is_regression else {}
    if labels and not is_regression:
        classes = min(classes, len(labels))
        outcome = {"labels": labels[:classes]}
    units = 1 if is_regression else classes
    return {
        "format": 2,
        "input_shape": [width],
        "layers": _layers(units),
        "loss": {"name": "mse" if is_regression else "cross-entropy"},
        "encoder": {"columns": columns},
        **outcome,
        "classes": units,
        "about": {},
    }


def _layers(units: int) -> list[dict[str, Any]]:
    return [{"name": "dense", "units": units, "initializer": "zeros", "gain": 1.0}]


def width_of(column: dict[str, Any]) -> int:
    """The number of inputs of a column."""
    own = 1 if column["kind"] == "number" else len(column["values"]) + column["other"]
    return own + column["indicator"]


def content_of(random: Random, config: Any, width: int, units: int) -> bytes:
    """A model file with random weights."""
    rng = np.random.default_rng(random.randrange(1 << 30))
    arrays = {"0.W": rng.normal(size=(width, units)).astype(np.float32), "0.b": np.zeros(units, np.float32)}
    return npz.to_bytes({"config": np.array(json.dumps(config)), **arrays})


def is_whole(config: Any, width: int, units: int) -> bool:
    """Whether a description is that of a model, by rules of its own."""
    if not isinstance(config, dict) or config.get("format") not in (1, 2) or config["format"] is True:
        return False
    losses = ["mse"] if "target" in config else ["cross-entropy", "mse"]
    encoder = config.get("encoder", NO_NAMES)
    layers = config.get("layers")
    if not isinstance(layers, list) or not all(isinstance(layer, dict) for layer in layers):
        return False
    gains = [layer.get("gain", 1.0) for layer in layers]
    if not all(_is_finite(gain) and gain > 0 for gain in gains):
        return False
    filled = [{"initializer": "zeros", **layer, "gain": 1.0} for layer in layers]
    network = [
        config.get("input_shape"),
        [{**each, "initializer": each["initializer"] or "zeros"} for each in filled],
    ]
    if network != [[width], _layers(units)] or "true" in json.dumps(network):
        return False
    if config.get("loss") not in [{"name": loss} for loss in losses] or not isinstance(encoder, dict):
        return False
    if set(encoder) != {"columns"} or re.search("[0-9]{301}", json.dumps(config)):
        return False
    columns = encoder["columns"]
    if not isinstance(columns, list) or not all(map(_is_column, columns)):
        return False
    if not width or (encoder is not NO_NAMES and sum(map(width_of, columns)) != width):
        return False
    if "target" in config:
        target = config["target"]
        if not isinstance(target, dict) or set(target) != {"mean", "scale"} or units != 1:
            return False
        are_numbers = _is_finite(target["mean"]) and _is_finite(target["scale"])
        return are_numbers and abs(target["mean"]) <= FLOAT32 and 0 < target["scale"] <= FLOAT32
    labels = config.get("labels")
    if labels is None:
        return True
    kinds = [{bool}, {str}, {int}, {float}, {int, float}]
    return (
        isinstance(labels, list)
        and {type(label) for label in labels} in kinds
        and len(labels) == len(set(labels)) == units
        and all(isinstance(label, str) or _is_finite(label) or type(label) is bool for label in labels)
    )


def _is_finite(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _is_column(column: Any) -> bool:
    if not isinstance(column, dict) or column.get("kind") not in ("number", "category"):
        return False
    if (
        set(column) != FIELDS[column["kind"]]
        or type(column["name"]) is not str
        or type(column["indicator"]) is not bool
    ):
        return False
    if column["kind"] == "number":
        numbers = [column["offset"], column["center"], column["scale"], column["fill"] or 0]
        if column["fill"] is not None and type(column["fill"]) not in (int, float):
            return False
        if not all(map(_is_finite, numbers)) or column["scale"] <= 0:
            return False
        in_float32 = all(abs(value) <= FLOAT32 for value in (column["center"], numbers[3]))
        return in_float32 and abs(column["offset"]) <= 1e30 and column["scale"] >= 1 / FLOAT32
    values = column["values"]
    return (
        isinstance(values, list)
        and all(type(value) is str for value in values)
        and len(set(values)) == len(values)
        and type(column["other"]) is type(column["fill"]) is bool
    )
