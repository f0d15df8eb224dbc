"""Perceptrons as one vector of weights, and the random numbers of Spark."""

import numpy as np
import pytest

from nn.models import perceptron, spark_random
from nn.models.outputs import over_thresholds


def test_weights_lie_layer_by_layer_as_in_spark():
    weights = np.arange(2 * 3 + 3 + 3 * 2 + 2, dtype=np.float64)
    found = perceptron.classifier_of([2, 3, 2], weights)
    assert found.params[0]["W"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert found.params[0]["b"].tolist() == [6, 7, 8] and found.params[1] == {}
    assert np.array_equal(perceptron.flat_weights(found.params), weights)
    sizes, again = perceptron.sizes_and_weights(found)
    assert sizes == [2, 3, 2] and np.array_equal(again, weights)
    with pytest.raises(ValueError, match="expected 17 initial weights for these layers, found 16"):
        perceptron.classifier_of([2, 3, 2], weights[:-1])
    with pytest.raises(ValueError, match="finite"):
        perceptron.classifier_of([2, 3, 2], weights * np.nan)


def test_a_network_without_hidden_layers_has_one_matrix():
    found = perceptron.classifier_of([2, 3], np.arange(9.0))
    assert found.predict([[0.0, 0.0], [1.0, 0.0]]).tolist() == [2, 2]
    assert perceptron.sizes_and_weights(found)[0] == [2, 3]


def test_random_numbers_are_those_of_xorshiftrandom():
    """The numbers that `new org.apache.spark.util.random.XORShiftRandom(seed)` gives."""
    assert spark_random.uniform(123, 2).tolist() == [0.15795279750951363, 0.648787283930924]
    assert spark_random.uniform(-5, 1).tolist() == [0.7332337014740989]
    many = spark_random.uniform(1, 2000)
    assert many.min() >= 0 and many.max() < 1 and abs(many.mean() - 0.5) < 0.02


def test_thresholds_divide_probabilities():
    rows = np.array([[0.6, 0.4], [0.5, 0.5], [0.0, 1.0]])
    assert over_thresholds(rows, [1.0, 1.0]).tolist() == [0, 0, 1]
    assert over_thresholds(rows, [0.9, 0.1]).tolist() == [1, 1, 1]
    assert over_thresholds(rows, [0.0, 1.0]).tolist() == [0, 0, 1]  # 0 / 0 never wins
