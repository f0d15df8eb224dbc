"""Format the results of a run as text files: histories, metrics, confusion matrix, examples, predictions, summary."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from nn.core.format import line as one_line
from nn.data.decoding import ClassLabels, Decoder, TargetScale
from nn.data.encoding import Encoder, SharedScale, TableEncoder
from nn.models import metrics
from nn.training.evaluation import AnyScore, Score
from nn.training.records import Epoch
from nn.training.regression_score import RegressionScore

PIXELS = SharedScale()  # inputs without names


def history_files(history: Iterable[Epoch]) -> dict[str, str]:
    """Return the files that a run writes after each epoch, by name. A regression has no accuracies."""
    history = list(history)
    lines = [",".join(_plain(value) for value in line) for line in history]
    files = {"cost_history/part-00000": _lines(_plain(line.cost) for line in history)}
    if any(line.accuracy is not None for line in history):
        files["accuracy_history/part-00000"] = _lines(_plain(line.accuracy) for line in history)
    return {**files, "history.csv": _lines([",".join(Epoch._fields), *lines])}


def score_files(score: AnyScore, decoder: Decoder, encoder: Encoder = PIXELS) -> dict[str, str]:
    """Return the files with the test scores, by name.

    Classes have the names that the decoder gives them, inputs of a table their names and values.
    """
    if isinstance(score, RegressionScore):
        return _value_files(score, encoder)
    return _class_files(score, decoder, encoder)


def _class_files(score: Score, decoder: Decoder, encoder: Encoder) -> dict[str, str]:
    per_class = metrics.per_class(score.confusion)
    names = tuple(map(_field, names_of(decoder, len(per_class))))
    table = [",".join([name, *map(str, row)]) for name, row in zip(names, score.confusion, strict=True)]
    pairs = ((names[prediction], names[label]) for prediction, label in score.first)
    return {
        "metrics/part-00000": _lines(f"({m.precision!r}, {m.recall!r}, {m.f1!r})" for m in per_class),
        "tests/part-00000": _lines(f"({prediction}, {label})" for prediction, label in pairs),
        "confusion_matrix.csv": _lines([",".join(["truth\\prediction", *names]), *table]),
        "examples.csv": _table(
            ("row", "label", "prediction", "probability"),
            ((e.row, names[e.label], names[e.prediction], e.probability) for e in score.examples),
            _inputs([example.inputs for example in score.examples], encoder),
        ),
    }


def _value_files(score: RegressionScore, encoder: Encoder) -> dict[str, str]:
    return {
        "examples.csv": _table(
            ("row", "actual", "prediction", "error"),
            ((e.row, e.actual, e.prediction, e.error) for e in score.examples),
            _inputs([example.inputs for example in score.examples], encoder),
        ),
        "predicted.csv": _table(("row", "actual", "predicted"), zip(*score.sample.sorted(), strict=True)),
    }


def names_of(decoder: Decoder, classes: int) -> tuple[str, ...]:
    """Return the names of the classes, each as one line of text."""
    assert isinstance(decoder, ClassLabels)
    return tuple(map(one_line, decoder.names(classes)))


def score_summary(score: AnyScore, decoder: Decoder) -> dict[str, Any]:
    """Return the test scores as plain JSON values; ratios are fractions of 1."""
    if isinstance(score, RegressionScore):
        assert isinstance(decoder, TargetScale)
        return {
            **{name: getattr(score, name) for name in ("rmse", "mae", "r2", "cost", "rows")},
            "baseline": score.rmse_of(
                decoder.mean
            ),  # the RMSE of always predicting the mean of the training rows
        }
    per_class = metrics.per_class(score.confusion)
    precision, recall, f1 = metrics.macro(per_class)
    names: Iterable[Any] = range(len(per_class))
    if decoder != ClassLabels():
        names = names_of(decoder, len(per_class))
    return {
        "accuracy": score.accuracy,
        "cost": score.cost,
        "rows": score.rows,
        "errors": score.rows - int(np.trace(score.confusion)),
        "macro": {"precision": precision, "recall": recall, "f1": f1},
        **({} if score.ranking is None else ranking_summary(score)),
        **({} if score.reliability is None else {"reliability": reliability_summary(score.reliability)}),
        "classes": [{"class": name, **m._asdict()} for name, m in zip(names, per_class, strict=True)],
    }


def ranking_summary(score: Score) -> dict[str, float | None]:
    """Return the scores of two classes by their probabilities; of class 1 against class 0."""
    assert score.ranking is not None
    return {"roc_auc": score.ranking.roc_auc, "log_loss": score.ranking.loss / score.rows}


def reliability_summary(sums: np.ndarray) -> list[dict[str, Any]]:
    """Return the bins of a reliability diagram: rows, and of these the mean probability and the share that is correct.

    `sums` (3, bins) are those of nn.training.evaluation.reliability_of. A bin without rows has no mean.
    """
    return [
        {
            "rows": int(rows),
            "probability": probability / rows if rows else None,
            "correct": hits / rows if rows else None,
        }
        for rows, hits, probability in sums.T.tolist()
    ]


def to_json(value: Any) -> str:
    """Return indented JSON with a newline at the end; numbers that are not finite become null."""
    return json.dumps(_finite(value), indent=2, allow_nan=False) + "\n"


class _Inputs(NamedTuple):
    """Columns of a table of CSV, beside others."""

    names: list[str]
    rows: list[list[Any]]


def _inputs(rows: Sequence[np.ndarray], encoder: Encoder) -> _Inputs:
    """Return the inputs of rows (d,) each as the user has them; x0, x1, ... unless they are columns with names."""
    if isinstance(encoder, TableEncoder):
        names = [
            f"x{i}" if name == str(i) else _field(one_line(name)) for i, name in enumerate(encoder.names)
        ]
        return _Inputs(names, [encoder.values(row) for row in rows])
    width = len(rows[0]) if len(rows) else 0
    return _Inputs([f"x{i}" for i in range(width)], [row.tolist() for row in rows])


def _table(header: Iterable[str], rows: Iterable[Iterable[Any]], inputs: _Inputs | None = None) -> str:
    """Return a table as CSV. Strings in `rows` are fields already."""
    lines = [[value if isinstance(value, str) else _plain(value) for value in row] for row in rows]
    for fields, values in zip(lines, inputs.rows if inputs else (), strict=False):
        fields += (_field(one_line(value)) if isinstance(value, str) else _plain(value) for value in values)
    return _lines(map(",".join, [[*header, *(inputs.names if inputs else ())], *lines]))


def _field(text: str) -> str:
    """Return a text as a field of CSV: quoted where it needs to be (RFC 4180)."""
    if text == text.strip() and not set(text) & set(',"'):
        return text
    return '"' + text.replace('"', '""') + '"'


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
