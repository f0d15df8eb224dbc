"""Notes on a finished run whose network has learned nothing, with what to try."""

from __future__ import annotations

import numpy as np

from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import SharedScale
from nn.models.sequential import Params, Sequential
from nn.training.evaluation import AnyScore, Score
from nn.training.records import Progress
from nn.training.regression_score import RegressionScore

UNCHANGED = 1e-3  # of the largest cost: a smaller change over all epochs counts as none
# What to try, as words of the command line and as arguments of nn.fit; the first for models with one scale.
OF_COMMAND = (
    "--scale standard (each column to mean 0 and standard deviation 1), ",
    "more --epochs, another --learning-rate or mini-batches (--average parameters)",
)
OF_PYTHON = (
    "scale='standard' (each column to mean 0 and standard deviation 1), ",
    "more epochs, another learning_rate or mini-batches (average='parameters')",
)


def notes(
    score: AnyScore, progress: Progress, model: Sequential, params: Params, weighted: bool = False
) -> list[str]:
    """Return notes for the user where the network is no better than always predicting one class, or the mean.

    weighted: as in `no_better_than_constant`.
    """
    first = no_better_than_constant(score, model, "test rows", OF_COMMAND, weighted)
    # A dead layer also leaves the cost unchanged, and its remedy is the opposite.
    second = first and (_dead_layer(score, model, params) or _unchanged_cost(progress))
    return [note for note in (first, second) if note]


def no_better_than_constant(
    score: AnyScore, model: Sequential, rows: str, options: tuple[str, str], weighted: bool = False
) -> str | None:
    """Return a note where always predicting one class, or the mean, is as good; `rows`: which rows were scored.

    weighted: whether training gave the classes weights. Then a lower accuracy than that of the most frequent class
    may be what was asked for, so that only a network which predicts one class alone gets a note.
    """
    remedy = f"try {options[0] if isinstance(model.encoder, SharedScale) else ''}{options[1]}"
    if isinstance(score, RegressionScore):
        return _no_better_than_mean(score, model, remedy)
    return _no_better_than_class(score, model, rows, remedy, weighted)


def _no_better_than_class(
    score: Score, model: Sequential, rows: str, remedy: str, weighted: bool
) -> str | None:
    """Return a note where the accuracy is that of the most frequent class, or below it."""
    classes, predicted = score.confusion.sum(axis=1), np.flatnonzero(score.confusion.sum(axis=0))
    largest = classes.max() / score.rows
    if score.accuracy > largest or largest == 1 or (weighted and len(predicted) > 1):
        return None
    assert isinstance(model.decoder, ClassLabels)
    names = model.decoder.names(len(classes))
    always = f"always predicting the most frequent class, {names[classes.argmax()]}, would be right for {largest:.2%}"
    if len(predicted) == 1:
        return f"all {score.rows:,} {rows} were predicted as class {names[predicted[0]]}; {always}: {remedy}"
    return f"the accuracy of {score.accuracy:.2%} is no better than a constant: {always}; {remedy}"


def _no_better_than_mean(score: RegressionScore, model: Sequential, remedy: str) -> str | None:
    """Return a note where the errors are those of the mean of the training rows, or above them."""
    assert isinstance(model.decoder, TargetScale)
    baseline = score.rmse_of(model.decoder.mean)
    if score.rmse < baseline or not baseline:
        return None
    return (
        f"the RMSE of {score.rmse:.4g} is no better than that of always predicting the mean of the training rows, "
        f"{baseline:.4g}: {remedy}"
    )


def _dead_layer(score: AnyScore, model: Sequential, params: Params) -> str | None:
    """Return a note where a hidden layer gives nothing but zeros for the test rows that were kept as examples."""
    inputs = np.array([example.inputs for example in score.examples])
    x = model.prepare(inputs)
    for number, (layer, values) in enumerate(zip(model.layers[:-1], params, strict=False), 1):
        x, _ = layer.forward(values, x)
        if not x.any():
            return (
                f"layer {number} {layer.short_name} gives 0 in all units for all {len(x)} rows of examples.csv: no "
                "gradient passes it, so nothing can be learned; try a smaller --learning-rate, or leaky_relu for relu"
            )
    return None


def _unchanged_cost(progress: Progress) -> str | None:
    """Return a note where the training cost has not changed in any epoch."""
    costs = [line.cost for line in progress.history if line.accepted]
    if len(costs) < 2 or max(costs) - min(costs) > UNCHANGED * max(costs):
        return None
    return (
        f"the training cost has hardly changed in {len(progress.history)} epochs: from {costs[0]:.6f} to "
        f"{costs[-1]:.6f}; try a larger --learning-rate"
    )
