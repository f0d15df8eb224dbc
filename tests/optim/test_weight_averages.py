"""The mean over steps weighs them as its formula says; the mean of the last epochs forgets the others."""

import numpy as np
import pytest

from nn.core import spec, tree
from nn.optim.weight_averages import WEIGHT_AVERAGES, Average, ExponentialAverage, LastEpochs

POINTS = [
    [{"W": np.full((2, 3), value, np.float32), "b": np.float32([value, -value])}] for value in (1, 5, -2, 8)
]


def added(kind, points):
    """The average after each point, of a step that ends an epoch."""
    averages = [Average([])]
    for point in points:
        averages.append(kind.after_epoch(kind.after_step(averages[-1], point), point))
    return averages


@pytest.mark.parametrize("decay", [0.1, 0.5, 0.99])
def test_ema_is_the_mean_with_weights_that_fall_by_the_decay(decay):
    kind = ExponentialAverage(decay)
    for steps, average in enumerate(added(kind, POINTS)[1:], 1):
        weights = decay ** np.arange(steps)[::-1]
        expected = np.average([point[0]["b"] for point in POINTS[:steps]], axis=0, weights=weights)
        assert kind.mean(average)[0]["b"] == pytest.approx(expected, rel=1e-5)
        assert kind.mean(average)[0]["W"].dtype == np.float32
        assert len(average.points) == 1 and average.added == steps


@pytest.mark.parametrize(("epochs", "first"), [(1, 3), (3, 1), (9, 0)])
def test_last_is_the_mean_of_the_last_epochs(epochs, first):
    kind = LastEpochs(epochs)
    *_, average = added(kind, POINTS)
    expected = np.mean([point[0]["W"] for point in POINTS[first:]], axis=0)
    assert np.array_equal(kind.mean(average)[0]["W"], expected)
    assert len(average.points) == len(POINTS) - first and average.added == len(POINTS)


@pytest.mark.parametrize("kind", [ExponentialAverage(0.5), LastEpochs(2)])
def test_an_average_overwrites_no_array_and_has_no_mean_before_the_first_point(kind):
    before = tree.copy(POINTS)
    averages = added(kind, POINTS)
    assert kind.mean(averages[0]) is None
    means = [tree.copy(kind.mean(average)) for average in averages[1:]]
    kind.after_step(kind.after_epoch(averages[-1], POINTS[0]), POINTS[0])
    again = [kind.mean(average) for average in averages[1:]]
    for expected, found in zip(tree.arrays([before, means]), tree.arrays([POINTS, again]), strict=True):
        assert np.array_equal(expected, found)


@pytest.mark.parametrize("kind", [ExponentialAverage(0.5), LastEpochs(2)])
def test_an_average_is_restored_and_refused_where_it_does_not_fit(kind):
    for average in added(kind, POINTS):
        stored = tree.to_plain(average)
        assert repr(tree.to_plain(kind.restore(stored, POINTS[0]))) == repr(stored)
    for wrong, message in (
        (None, "average: expected points, added, found nothing"),
        ({**stored, "added": 0}, "average.points: expected 0 of 0, found"),
        ({**stored, "points": []}, "average.points: expected [12] of 4, found 0"),
        ({**stored, "points": POINTS}, "average.points: expected at most [12] values, found 4"),
        ({**stored, "points": [[{"W": POINTS[0][0]["W"]}]]}, "average.points.0.0: expected W, b, found W"),
    ):
        with pytest.raises(ValueError, match=message):
            kind.restore(wrong, POINTS[0])


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("ema", "expected ema:DECAY"),
        ("ema:1", r"decay must be a number in \(0, 1\), got 1.0"),
        ("last:0", "epochs must be a whole number of at least 1, got 0"),
        ("last:1.5", "expected a whole number of at least 1 for epochs, found '1.5'"),
        ("swa:3", "unknown average 'swa'; known: ema, last"),
    ],
)
def test_words_out_of_range_are_refused(word, message):
    with pytest.raises(ValueError, match=message):
        spec.parse(word, WEIGHT_AVERAGES, "average")
