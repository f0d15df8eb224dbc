"""Format the results of a run as text files: histories, metrics, confusion matrix, examples, summary."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import numpy as np

from nn.models import metrics
from nn.training.evaluation import Example, Score
from nn.training.records import Epoch


def history_files(history: Iterable[Epoch]) -> dict[str, str]:
    """Return the files that a run writes after each epoch, by name."""
    history = list(history)
    lines = [",".join(_plain(value) for value in line) for line in history]
    return {
        "cost_history/part-00000": _lines(_plain(line.cost) for line in history),
        "accuracy_history/part-00000": _lines(_plain(line.accuracy) for line in history),
        "history.csv": _lines([",".join(Epoch._fields), *lines]),
    }


def score_files(score: Score) -> dict[str, str]:
    """Return the files with the test scores, by name."""
    per_class = metrics.per_class(score.confusion)
    classes = range(len(per_class))
    table = [",".join(map(str, [number, *row])) for number, row in zip(classes, score.confusion, strict=True)]
    return {
        "metrics/part-00000": _lines(f"({m.precision!r}, {m.recall!r}, {m.f1!r})" for m in per_class),
        "tests/part-00000": _lines(f"({prediction}, {label})" for prediction, label in score.first),
        "confusion_matrix.csv": _lines([",".join(map(str, ["truth\\prediction", *classes])), *table]),
        "examples.csv": _examples(score.examples),
    }


def score_summary(score: Score) -> dict[str, Any]:
    """Return the test scores as plain JSON values; ratios are fractions of 1."""
    per_class = metrics.per_class(score.confusion)
    precision, recall, f1 = metrics.macro(per_class)
    return {
        "accuracy": score.accuracy,
        "cost": score.cost,
        "rows": score.rows,
        "errors": score.rows - int(np.trace(score.confusion)),
        "macro": {"precision": precision, "recall": recall, "f1": f1},
        "classes": [{"class": number, **m._asdict()} for number, m in enumerate(per_class)],
    }


def to_json(value: Any) -> str:
    """Return indented JSON with a newline at the end; numbers that are not finite become null."""
    return json.dumps(_finite(value), indent=2, allow_nan=False) + "\n"


def _examples(examples: Iterable[Example]) -> str:
    examples = list(examples)
    width = len(examples[0].inputs) if examples else 0
    header = ["row", "label", "prediction", "probability", *(f"x{i}" for i in range(width))]
    rows = [",".join(map(_plain, [*example[:4], *example.inputs.tolist()])) for example in examples]
    return _lines([",".join(header), *rows])


def _plain(value: Any) -> str:
    """Return a number as a field of CSV: True is 1, floats have their shortest exact form, None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    return repr(float(value)) if isinstance(value, (float, np.floating)) else str(int(value))


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
