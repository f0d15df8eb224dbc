"""Labels of classes and the scale of a target: there and back, their order, and what is refused."""

import json

import numpy as np
import pytest

from nn.data.decoding import (
    ClassLabels,
    TargetScale,
    are_class_numbers,
    decoder_from_config,
    sorted_labels,
)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["setosa", "virginica", "setosa"], ("setosa", "virginica")),
        (["10", "9", "2"], (2, 9, 10)),
        (["1.0", "2", "1"], (1, 2)),
        (["-1", "1"], (-1, 1)),
        (["0.5", "2"], (0.5, 2.0)),
        (["True", "False"], (False, True)),
        (["true", "no"], ("no", "true")),
        (["1", "b"], ("1", "b")),
        (["inf", "1"], ("1", "inf")),
    ],
)
def test_labels_are_sorted_as_what_they_are(names, labels):
    found = sorted_labels(names)
    assert found == labels and list(map(type, found)) == list(map(type, labels))


def test_class_numbers_are_integers_from_0():
    assert are_class_numbers((0, 1, 2)) and are_class_numbers((0, 7))
    for labels in ((1, 2), (-1, 1), (False, True), (0.0, 1.0), ("0", "1")):
        assert not are_class_numbers(labels)


def test_labels_of_predictions_have_their_own_type():
    numbers = np.array([1, 0, 1])
    assert ClassLabels().decode(numbers) is numbers
    assert ClassLabels(("a", "bc")).decode(numbers).tolist() == ["bc", "a", "bc"]
    assert ClassLabels((-1, 1)).decode(numbers).dtype == np.int64
    assert ClassLabels((False, True)).decode(numbers).dtype == bool
    assert ClassLabels().names(3) == ("0", "1", "2") and ClassLabels((-1, 1)).names(2) == ("-1", "1")


def test_target_is_standardized_and_given_back_in_its_unit():
    scale = TargetScale(200_000.0, 50_000.0)
    values = np.array([150_000.0, 300_000.0])
    targets = scale.encode(values)
    assert targets.dtype == np.float32 and targets.tolist() == [[-1], [2]]
    assert scale.decode(targets).tolist() == values.tolist()


@pytest.mark.parametrize(
    "decoder", [ClassLabels(), ClassLabels(("a", "b")), ClassLabels((1, 2)), TargetScale(1.5, 2.0)]
)
def test_decoder_is_the_same_after_json(decoder):
    assert decoder_from_config(json.loads(json.dumps(decoder.config()))) == decoder


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"labels": "ab"}, "expected a list"),
        ({"labels": ["a"]}, "two or more distinct labels"),
        ({"labels": ["a", "a"]}, "two or more distinct labels"),
        ({"labels": [1, "1"]}, "two or more distinct labels"),
        ({"labels": [1, None]}, "names or numbers"),
        ({"target": 3}, "expected its mean and its scale"),
        ({"target": {"mean": 1, "scale": 0}}, r"TargetScale scale must be a number in \(0, 3.4"),
        ({"target": {"mean": "1", "scale": 1}}, r"TargetScale mean must be a number in"),
    ],
)
def test_decoder_refuses_a_description_that_is_not_one(config, message):
    with pytest.raises(ValueError, match=message):
        decoder_from_config(config)


def test_labels_keep_every_digit_and_every_character():
    assert sorted_labels(["9007199254740993", "9007199254740992"]) == (2**53, 2**53 + 1)
    assert sorted_labels(["1_0", "2"]) == ("1_0", "2")
    assert ClassLabels(("a\0", "b")).decode(np.array([0, 1])).tolist() == ["a\0", "b"]


@pytest.mark.parametrize("labels", [(1, "a"), (True, 1), ("a", None)])
def test_labels_are_of_one_type(labels):
    with pytest.raises(ValueError, match="names or numbers, of one type"):
        ClassLabels(labels)
