"""What the page shows of the test rows: confusion matrix, scores of classes, rows, values, reliability diagram."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nn.plotting.report.network import MOST_FIELDS
from nn.plotting.results import Examples, Json, Predicted, Scores
from nn.plotting.run_files import Run, declared_shape
from nn.plotting.shapes import image_shape
from nn.plotting.textfiles import bad_file, number, read_table

MOST_CLASSES = 30  # of a confusion matrix whose cells are shown; of more classes the mistakes are listed
MOST_MISTAKES = 200
MOST_COLUMNS = 60  # of a table of rows; the form of the network is filled with more
LONGEST = 200  # characters of a cell
IMAGE_BYTES = 400_000  # of all images of a run
ROW_HEADERS = (["row", "label", "prediction", "probability"], ["row", "actual", "prediction", "error"])


def confusion_of(counts: NDArray[np.int64]) -> dict[str, Any]:
    """Return the counts (k, k), or, of many classes, the most frequent mistakes: true class, prediction, rows."""
    k = len(counts)
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_MISTAKES]
    pairs = np.transpose(np.unravel_index(order, wrong.shape))
    mistakes = [[int(t), int(p), int(wrong[t, p])] for t, p in pairs if wrong[t, p]]
    return {
        "classes": k,
        "rows": int(counts.sum()),
        "right": int(np.trace(counts)),
        "truths": counts.sum(axis=1).tolist(),
        "counts": counts.tolist() if k <= MOST_CLASSES else None,
        "mistakes": mistakes,
        "pairs": int(np.count_nonzero(wrong)),
    }


def scores_of(scores: Scores, support: list[float | int | None]) -> dict[str, Any]:
    """Return precision, recall and F1 of each class, and the means over the classes."""
    columns = {kind: _rounded(getattr(scores, kind)) for kind in ("precision", "recall", "f1")}
    return {**columns, "support": support, "macro": scores.macro}


def reliability_of(test: Json) -> list[list[float | None]] | None:
    """Return [rows, mean probability, share that is correct] of each bin; None where the run wrote none."""
    if "reliability" not in test:
        return None
    bins: list[list[float | None]] = []
    for entry in test["reliability"].items():
        rows = entry["rows"].number()
        bins.append([rows, *(entry[key].share() if rows else None for key in ("probability", "correct"))])
    return bins


def images_of(examples: Examples, run: Run) -> dict[str, Any]:
    """Return test rows as images of whole numbers from 0 to 255. Raises NotDrawableError where they are no images."""
    shape = image_shape(examples.inputs.shape[1], declared_shape(run))
    count = max(1, min(len(examples.inputs), IMAGE_BYTES // examples.inputs.shape[1]))
    low, high = min(0.0, float(examples.inputs.min())), float(examples.inputs.max())
    levels = np.round((examples.inputs[:count] - low) / ((high - low) or 1.0) * 255).astype(np.uint8)
    return {
        "shape": list(shape),
        "low": low,
        "high": high,
        "whole": bool((examples.inputs == np.round(examples.inputs)).all()),
        "data": base64.b64encode(levels.tobytes()).decode(),
        "rows": list(examples.rows[:count]) or None,
        "labels": examples.labels[:count].tolist(),
        "predictions": examples.predictions[:count].tolist(),
        "probabilities": _rounded(examples.probabilities[:count]),
    }


def rows_of(path: Path, names: tuple[str, ...] | None) -> dict[str, Any]:
    """Return the test rows of a table as texts: the columns of the header, and the cells of each row.

    `names` are those of the classes as the run's files have them; None: class numbers, or a regression.
    """
    header, lines = read_table(path)
    if header[:4] not in ROW_HEADERS:
        raise bad_file(path, f"a header that begins with {','.join(ROW_HEADERS[0])}", ",".join(header[:4]), 1)
    codes = {name.strip(): code for code, name in enumerate(names or ())}
    rows, pairs = [], []
    for line, fields in lines:
        rows.append([field[:LONGEST] for field in fields[: 4 + MOST_FIELDS]])
        if header[1] == "label":
            pairs.append([codes.get(field.strip(), field) for field in fields[1:3]])
        else:
            number(path, line, fields[3], "an error")
    shown = header[: 4 + MOST_COLUMNS]
    return {"header": shown, "columns": len(header) - 4, "rows": rows, "pairs": pairs}


def values_of(predicted: Predicted) -> dict[str, list[float | None]]:
    """Return the actual and the predicted values of test rows, and the errors, which large values leave few digits."""
    errors = predicted.predicted - predicted.actual
    columns = {"actual": predicted.actual, "predicted": predicted.predicted, "errors": errors}
    return {name: _rounded(column) for name, column in columns.items()}


def _rounded(values: NDArray[np.float64]) -> list[float | None]:
    return [rounded(value) for value in values.tolist()]


def rounded(value: float, digits: int = 6) -> float | None:
    """Return a number with few digits, which the page has room for; None where it is not finite or too large."""
    return float(f"{value:.{digits}g}") if abs(value) <= 1e100 else None
