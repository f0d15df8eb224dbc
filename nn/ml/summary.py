"""Summaries of a fitted model: how training went, and how well the model predicts rows, by label.

They are plain JSON in the folder of a saved model, so they are there again when it is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from nn.models import metrics
from nn.training.convergence import accepted_lines
from nn.training.evaluation import AnyScore, Score
from nn.training.records import Epoch, Progress

T = TypeVar("T", bound="Training")


@dataclass(frozen=True)
class Training:
    """How training went. All lists have a value for each line: one per epoch, or per trial of l-bfgs.

    `model.summary` and `model.summary()` are the same: it is a method of Spark's perceptron and a property elsewhere.
    """

    history: tuple[Epoch, ...] = ()
    objectiveHistory: tuple[float, ...] = ()  # the cost of the initial weights and after each iteration
    stopReason: str = ""  # why training ended before its last iteration
    seconds: float = 0.0  # of all of `fit`
    _predicted: Callable[[], Any] | None = field(default=None, compare=False, repr=False)

    @property
    def predictions(self) -> Any:
        """Return the rows that were measured, with their predictions, as `model.transform` gives them.

        Raises RuntimeError in a summary that was loaded: it is saved without the rows.
        """
        if self._predicted is None:
            raise RuntimeError(
                "expected the summary of a fit or of evaluate in this session, found a loaded one"
            )
        return self._predicted()

    def __call__(self: T) -> T:
        """Return the summary itself."""
        return self

    @property
    def totalIterations(self) -> int:
        """Return the accepted steps of l-bfgs, or the epochs."""
        return max(len(self.objectiveHistory) - 1, 0)

    @property
    def validationHistory(self) -> list[float]:
        """Return the cost of the validation rows in each line; none without validation rows."""
        return [line.val_cost for line in self.history if line.val_cost is not None]

    @property
    def accuracyHistory(self) -> list[float]:
        """Return the accuracy on the training rows in each line; none in a regression."""
        return [line.accuracy for line in self.history if line.accuracy is not None]

    @property
    def validationAccuracyHistory(self) -> list[float]:
        """Return the accuracy on the validation rows in each line."""
        return [line.val_accuracy for line in self.history if line.val_accuracy is not None]

    @property
    def secondsPerEpoch(self) -> list[float]:
        """Return the seconds of each line."""
        return [line.seconds for line in self.history]


@dataclass(frozen=True)
class ClassificationSummary(Training):
    """The confusion matrix of rows, and the measures that MLlib's MulticlassMetrics makes of it.

    `confusionMatrix` (k, k): entry (i, j) is the weight of the rows of label i that are predicted as j. A ratio with
    denominator 0 is 0.
    """

    confusionMatrix: tuple[tuple[float, ...], ...] = field(default=())

    @property
    def _matrix(self) -> np.ndarray:
        return np.array(self.confusionMatrix, np.float64)

    @property
    def labels(self) -> list[float]:
        """Return the labels that have rows, in ascending order."""
        return [float(label) for label in np.flatnonzero(self._matrix.sum(axis=1))]

    @property
    def accuracy(self) -> float:
        """Return the share of rows that are predicted correctly."""
        return metrics.accuracy(self._matrix)

    @property
    def truePositiveRateByLabel(self) -> list[float]:
        """Return, for each label, the share of its rows that are predicted as it."""
        return self.recallByLabel

    @property
    def falsePositiveRateByLabel(self) -> list[float]:
        """Return, for each label, the share of other rows that are predicted as it."""
        matrix = self._matrix
        right, true, predicted = np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)
        return self._by_label(_ratio(predicted - right, matrix.sum() - true).tolist())

    @property
    def precisionByLabel(self) -> list[float]:
        """Return, for each label, the share of rows predicted as it that have it."""
        return self._by_label([one.precision for one in metrics.per_class(self._matrix)])

    @property
    def recallByLabel(self) -> list[float]:
        """Return, for each label, the share of its rows that are predicted as it."""
        return self._by_label([one.recall for one in metrics.per_class(self._matrix)])

    def fMeasureByLabel(self, beta: float = 1.0) -> list[float]:
        """Return, for each label, the weighted harmonic mean of precision and recall."""
        precision, recall = np.array(self.precisionByLabel), np.array(self.recallByLabel)
        square = beta * beta
        return _ratio((1 + square) * precision * recall, square * precision + recall).tolist()

    @property
    def weightedTruePositiveRate(self) -> float:
        """Return the mean of the true positive rates, by the labels' rows."""
        return self._weighted(self.truePositiveRateByLabel)

    @property
    def weightedFalsePositiveRate(self) -> float:
        """Return the mean of the false positive rates, by the labels' rows."""
        return self._weighted(self.falsePositiveRateByLabel)

    @property
    def weightedPrecision(self) -> float:
        """Return the mean of the precisions, by the labels' rows."""
        return self._weighted(self.precisionByLabel)

    @property
    def weightedRecall(self) -> float:
        """Return the mean of the recalls, by the labels' rows."""
        return self._weighted(self.recallByLabel)

    def weightedFMeasure(self, beta: float = 1.0) -> float:
        """Return the mean of the F-measures, by the labels' rows."""
        return self._weighted(self.fMeasureByLabel(beta))

    def _by_label(self, values: Sequence[float]) -> list[float]:
        return [values[int(label)] for label in self.labels]

    def _weighted(self, values: Sequence[float]) -> float:
        rows = self._matrix.sum(axis=1)
        rows = rows[rows > 0]
        return float(np.dot(values, rows) / rows.sum()) if len(rows) else 0.0


@dataclass(frozen=True)
class RegressionSummary(Training):
    """The errors of the predictions of rows, in the unit of the target."""

    numInstances: int = 0
    meanAbsoluteError: float = 0.0
    meanSquaredError: float = 0.0
    r2: float = 0.0  # 1 - sum of squared errors / sum of squared deviations from the mean

    @property
    def rootMeanSquaredError(self) -> float:
        """Return the root of the mean squared error."""
        return float(np.sqrt(self.meanSquaredError))


Summary = ClassificationSummary | RegressionSummary


def _ratio(part: Any, whole: Any) -> Any:
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.zeros(np.broadcast(part, whole).shape), where=whole != 0)


def of_training(progress: Progress, reason: str, seconds: float, score: AnyScore, exact: bool) -> Summary:
    """Return the summary of a fit. `exact`: its optimizer takes trials, of which accepted ones are iterations."""
    lines = accepted_lines(progress) if exact else list(progress.history)
    costs = tuple(line.cost for line in lines)
    training = {
        "history": progress.history,
        "objectiveHistory": costs,
        "stopReason": reason,
        "seconds": seconds,
    }
    if isinstance(score, Score):
        matrix = tuple(tuple(map(float, row)) for row in score.confusion)
        return ClassificationSummary(**training, confusionMatrix=matrix)  # type: ignore[arg-type]
    return RegressionSummary(
        **training,  # type: ignore[arg-type]
        numInstances=score.rows,
        meanAbsoluteError=score.mae,
        meanSquaredError=score.squared / score.rows,
        r2=score.r2,
    )


def to_plain(summary: Summary) -> dict[str, Any]:
    """Return a summary as plain JSON values."""
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(summary).items()
        if not name.startswith("_")
    }
    return values | {"history": [line._asdict() for line in summary.history]}


def from_plain(values: dict[str, Any]) -> Summary:
    """Return the summary that `to_plain` made plain. Raises ValueError for what is none."""
    try:
        history = tuple(Epoch(**line) for line in values["history"])
        rest = {
            name: value for name, value in values.items() if name != "history" and not name.startswith("_")
        }
        rest["objectiveHistory"] = tuple(rest["objectiveHistory"])
        if "confusionMatrix" in rest:
            rest["confusionMatrix"] = tuple(map(tuple, rest["confusionMatrix"]))
            return ClassificationSummary(history, **rest)
        return RegressionSummary(history, **rest)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"expected a summary of training, found {str(values)[:60]!a} ({error})") from None
