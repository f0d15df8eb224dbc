"""Score a network on labeled blocks: confusion matrix, and examples of rows, errors first; or the errors of values."""

from __future__ import annotations

from functools import partial
from operator import add
from typing import Any, NamedTuple

import numpy as np

from nn.data.block import Block
from nn.models import metrics, ranking
from nn.models.ranking import Ranking
from nn.models.sequential import Sequential
from nn.training.regression_score import RegressionScore, score_values

FIRST_ROWS = 15  # predictions that are shown
EXAMPLES = 40
BINS = 10  # of probabilities, from 0 to 1


class Example(NamedTuple):
    """One row with its prediction."""

    row: int
    label: int
    prediction: int
    probability: float  # the prediction's share, 0..1
    inputs: np.ndarray  # (d,) as read, not scaled


class Score(NamedTuple):
    """The predictions of a network for some rows. Scores add up in row order."""

    confusion: np.ndarray  # (k, k) int64, rows are the truth
    loss: float  # summed over the rows
    first: tuple[tuple[int, int], ...]  # (prediction, label) of the first rows
    wrong: tuple[Example, ...]
    right: tuple[Example, ...]
    ranking: Ranking | None = None  # of two classes
    reliability: np.ndarray | None = None  # see `reliability_of`

    def __add__(self, other: Score) -> Score:  # type: ignore[override]
        both = None
        if self.ranking is not None and other.ranking is not None:
            both = self.ranking + other.ranking
        bins = None
        if self.reliability is not None and other.reliability is not None:
            bins = self.reliability + other.reliability
        return Score(
            self.confusion + other.confusion,
            self.loss + other.loss,
            (self.first + other.first)[:FIRST_ROWS],
            (self.wrong + other.wrong)[:EXAMPLES],
            (self.right + other.right)[:EXAMPLES],
            both,
            bins,
        )

    def sums_alone(self) -> Score:
        """Return the score without rows and without what there is of each row."""
        return self._replace(first=(), wrong=(), right=(), ranking=None)

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Return the share of rows that are predicted correctly."""
        return metrics.accuracy(self.confusion)

    @property
    def about(self) -> dict[str, float]:
        """Return the score that the model file keeps."""
        return {"test_accuracy": self.accuracy}

    @property
    def cost(self) -> float:
        """Return the mean loss per row."""
        return self.loss / self.rows

    @property
    def examples(self) -> tuple[Example, ...]:
        """Return examples: up to three quarters errors, which come first, then correct predictions."""
        most = max(EXAMPLES * 3 // 4, EXAMPLES - len(self.right))
        wrong = self.wrong[:most]
        return wrong + self.right[: EXAMPLES - len(wrong)]


AnyScore = Score | RegressionScore


def evaluate(blocks: Any, model: Sequential, params: Any, rows: int = 0, with_rows: bool = True) -> Any:
    """Score all rows: a Score, or a RegressionScore; `blocks` and `params` are as in chain.py.

    The ROC AUC of two classes is exact unless there are more `rows` than MOST_RANKED. Without `with_rows` the score is
    of sums alone: no row comes to the driver, not as an example either.
    """
    if model.loss.is_regression:
        scores = blocks.map(partial(score_values, model, params))
    else:
        scores = blocks.map(partial(score, model, params, exact=rows <= ranking.MOST_RANKED))
    return (scores if with_rows else scores.map(_sums_alone)).reduce(add)


def _sums_alone(part: AnyScore) -> AnyScore:
    return part.sums_alone()


def score(model: Sequential, params: Any, block: Block, exact: bool = True) -> Score:
    """Score one block of labeled classes."""
    outputs = model.forward(params.value, block.inputs)  # (n, k)
    predictions = model.loss.predict(outputs)
    probabilities = model.loss.probabilities(outputs)
    shares = probabilities[np.arange(len(predictions)), predictions]
    hits = predictions == block.labels

    def examples(rows: np.ndarray) -> tuple[Example, ...]:
        return tuple(
            Example(
                int(block.rows[i]),
                int(block.labels[i]),
                int(predictions[i]),
                float(shares[i]),
                block.inputs[i].ravel(),
            )
            for i in np.flatnonzero(rows)[:EXAMPLES]
        )

    pairs = zip(predictions[:FIRST_ROWS], block.labels[:FIRST_ROWS], strict=True)
    return Score(
        metrics.confusion(block.labels, predictions, model.classes),
        model.loss.value(outputs, block.labels),
        tuple((int(prediction), int(label)) for prediction, label in pairs),
        examples(~hits),
        examples(hits),
        ranking.ranking(probabilities, block.labels, exact) if model.classes == 2 else None,
        reliability_of(shares, hits),
    )


def reliability_of(shares: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """Return sums over the rows whose prediction has a probability in each of BINS equal bins, (3, BINS) float64.

    shares (n,): the probability of each prediction; hits (n,): whether it is correct. The sums are the number of rows,
    that of correct predictions, and the sum of the probabilities (Niculescu-Mizil and Caruana, 2005).
    """
    shares = np.clip(np.nan_to_num(shares.astype(np.float64)), 0, 1)
    bins = np.minimum((shares * BINS).astype(np.intp), BINS - 1)
    return np.stack([np.bincount(bins, weights, BINS) for weights in (None, hits, shares)]).astype(np.float64)
