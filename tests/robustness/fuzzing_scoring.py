"""Rows that predict_task.py is to predict on Spark: each prediction is that of the model in Python, or left out."""

from __future__ import annotations

import csv
import json
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from nn.cli import predict
from nn.cli.predict_options import parse
from nn.core.errors import DataError, UserError
from nn.models import model_file
from nn.models.classifier import Classifier, Predictor, predictor
from nn.spark import scoring
from nn.spark.input import table_reading
from nn.spark.storage.filesystem import Storage
from tests.robustness.fuzzing_common import ACCEPTED, REFUSED, Random, one_line
from tests.robustness.fuzzing_encoders import content_of, description
from tests.support.result_files import holds_no_results

BAD = "no number"
CLOSE = 1e-5  # how near probabilities in blocks of other sizes are


def rows_to_predict(random: Random, context: Any) -> str:
    """A model, sometimes damaged, and a table in CSV: missing values, unknown categories, strings among numbers."""
    config = description(random)
    width, units = config["input_shape"][0], config["layers"][0]["units"]
    if not width:
        return REFUSED
    content = content_of(random, config, width, units)
    if random.random() < 0.2:
        place = random.randrange(len(content))
        content = content[:place] + random.choice([b"", b"\0", content[place + 1 :]])
    columns = config["encoder"]["columns"]
    table = {column["name"]: _cells(random, column) for column in columns}
    missing = random.choice(list(table)) if random.random() < 0.1 else None
    keeps_bad = random.random() < 0.5
    model = _model(content)
    found = _run(random, context, content, {k: v for k, v in table.items() if k != missing}, keeps_bad)
    shown = f"{config} {table} without {missing}, bad rows kept: {keeps_bad}"
    rows = [
        {name: cells[row] for name, cells in table.items()} for row in range(len(table[columns[0]["name"]]))
    ]
    expected = None if model is None or missing else [_prediction(model, columns, row) for row in rows]
    if expected is None or (None in expected and not keeps_bad):
        assert isinstance(found, str), f"{shown} predicted {found}"
        return REFUSED
    assert not isinstance(found, str), f"{shown} refused: {found}"
    assert len(found) == len(rows), (found, shown)
    for one, answer in zip(found, expected, strict=True):
        assert (answer is None) == (one is None) and (answer is None or one in answer), (one, answer, shown)
    return ACCEPTED


def _cells(random: Random, column: dict[str, Any]) -> list[str | None]:
    known = ["0", "1.5", "-3", "70000"]
    if column["kind"] == "category":
        known = [value for value in column["values"] if value] + ["another"] * random.choice([0, 1]) or ["a"]
    odd = [None] * random.choice([0, 0, 1]) + [BAD] * random.choice([0, 0, 0, 1])
    return [random.choice(known * 3 + odd) for _ in range(5)]


def _model(content: bytes) -> Predictor | None:
    try:
        return predictor(*model_file.from_bytes(content))
    except ValueError:
        return None


def _run(random: Random, context: Any, content: bytes, table: dict, keeps_bad: bool) -> list[Any] | str:
    """The predictions, or the line by which the program refuses."""
    names = [*table, "more"]
    random.shuffle(names)
    through_arrow, before, many = random.random() < 0.5, table_reading.has_arrow, scoring.MANY
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        model, rows, out = (Path(folder) / name for name in ("model.npz", "rows.csv", "out"))
        model.write_bytes(content)
        with rows.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, quoting=csv.QUOTE_ALL)
            writer.writerow(names)
            lines = zip(*({"more": [" x, y"] * 5, **table}[name] for name in names), strict=True)
            writer.writerows([["NA" if cell is None else cell for cell in line] for line in lines])
        words = [
            *map(str, (model, rows, out)),
            "--format",
            "csv",
            "--header",
            "yes",
            "--output-format",
            "json",
        ]
        options = parse([*words, "--bad-rows", "null" if keeps_bad else "error"])
        table_reading.has_arrow = lambda context: through_arrow
        scoring.MANY = 1
        try:
            predict.run(context, Storage(context), options)
        except DataError as error:
            one_line(str(error))
            assert holds_no_results(out), error
            return str(error)
        except UserError as error:
            raise AssertionError(f"{type(error).__name__}: {error}") from error
        finally:
            table_reading.has_arrow, scoring.MANY = before, many
        parts = sorted((out / "predictions").glob("part-*"))
        return [
            json.loads(line).get("prediction") for part in parts for line in part.read_text().splitlines()
        ]


def _prediction(model: Predictor, columns: list[dict[str, Any]], row: dict[str, Any]) -> Any:
    """What may be predicted of a row: labels about as probable as the best, or values; None of a bad row."""
    values: dict[str, list[Any]] = {}
    for column in columns:
        cell = row[column["name"]]
        if column["kind"] == "number" and cell == BAD:
            return None
        values[column["name"]] = [float(cell) if column["kind"] == "number" and cell is not None else cell]
    try:
        if not isinstance(model, Classifier):
            return _Near(float(model.predict(values)[0]))
        probabilities = model.predict_proba(values)[0]
    except ValueError:
        return None
    labels = model.model.decoder.decode(np.arange(len(probabilities))).tolist()
    best = probabilities.max() - CLOSE
    return [label for label, value in zip(labels, probabilities, strict=True) if value >= best]


class _Near:
    """The values near one."""

    def __init__(self, value: float):
        self.value = value

    def __contains__(self, other: Any) -> bool:
        return abs(other - self.value) <= CLOSE * max(1, abs(self.value))
