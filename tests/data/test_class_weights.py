"""Class weights: balanced or given; they multiply the weights of rows."""

import json

import numpy as np
import pytest

from nn.data.block import Block
from nn.data.class_weights import ClassWeights, ClassWeightsReader, weigh
from nn.data.decoding import ClassLabels

CLASS_ROWS = np.array([10, 30, 0, 20])


def test_balanced_gives_every_class_with_rows_the_same_total_weight():
    table = ClassWeights().table(CLASS_ROWS)
    assert table[[0, 1, 3]] == pytest.approx([60 / 40, 60 / 120, 60 / 80])
    assert (table * CLASS_ROWS)[[0, 1, 3]] == pytest.approx([15, 15, 15])


def test_given_weights_leave_other_classes_at_1():
    assert ClassWeights((("1", 2.5), ("3", 0.0))).table(CLASS_ROWS).tolist() == [1, 2.5, 1, 0]


def test_weigh_multiplies_the_weights_of_rows():
    block = Block(np.arange(3), np.zeros((3, 2)), np.array([1, 0, 1]))
    table = np.array([2.0, 5.0])
    assert weigh(table, block).weights.tolist() == [5, 2, 5]
    assert weigh(table, block._replace(weights=np.array([1.0, 3.0, 0.5]))).weights.tolist() == [5, 6, 2.5]


def test_class_weights_refuse_unknown_classes_and_a_total_of_0():
    with pytest.raises(ValueError, match=r"expected classes 0\.\.3, found class 4"):
        ClassWeights((("4", 1.0),)).table(CLASS_ROWS)
    with pytest.raises(ValueError, match="expected a weight above 0 for a class that has rows"):
        ClassWeights((("0", 0.0), ("1", 0.0), ("3", 0.0))).table(CLASS_ROWS)


def test_classes_with_labels_are_named_by_them():
    labels = ClassLabels(("cat", "dog"))
    assert ClassWeights((("dog", 3.0),)).table(np.array([1, 1]), labels).tolist() == [1, 3]
    with pytest.raises(ValueError, match="class_weights: expected the classes cat, dog, found class 1"):
        ClassWeights((("1", 3.0),)).table(np.array([1, 1]), labels)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("balanced", ClassWeights()),
        ("0=1,3=2.5", ClassWeights((("0", 1.0), ("3", 2.5)))),
        ({"0": 1, "3": 2.5}, ClassWeights((("0", 1.0), ("3", 2.5)))),
        ("even=2,a\\,b=1", ClassWeights((("even", 2.0), ("a,b", 1.0)))),
        ([1, 2.5], ClassWeights((("0", 1.0), ("1", 2.5)))),
    ],
)
def test_reader_round_trip_of_words_and_json(value, expected):
    reader = ClassWeightsReader()
    assert reader.json(value) == expected
    assert reader.json(json.loads(json.dumps(reader.plain(expected)))) == expected


@pytest.mark.parametrize(
    "value",
    ["", "0", "0=a", "0=1,0=2", "0=-1", "0=nan", "0=1e10", 3, {}, {"0": True}],
)
def test_reader_refuses_other_values(value):
    with pytest.raises(ValueError, match="expected balanced, or weights as 0=1,3=2.5 or setosa=2|must be"):
        ClassWeightsReader().json(value)
