"""A network that has learned nothing says so, and one that has learned something does not."""

import dataclasses

import numpy as np
import pytest

from nn.data.block import Block
from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import Number, TableEncoder
from nn.data.local_rdd import LocalRDD
from nn.layers import Dense, Relu
from nn.models import metrics
from nn.models.regression_losses import SquaredError
from nn.models.sequential import Sequential
from nn.training import diagnosis
from nn.training.evaluation import evaluate
from nn.training.records import Epoch, Progress


def model_of(hidden_bias=0.0, output=0.0, outputs=2):
    """A network of two inputs, three units and two classes, whose outputs are `output` x the sum of the units."""
    model = Sequential((Dense(3), Relu(), Dense(outputs)), (2,))
    params = model.init(0)
    params[0]["W"][:], params[0]["b"][:] = 1, hidden_bias
    params[2]["W"][:], params[2]["b"][:] = 0, 0
    params[2]["W"][:, 1], params[2]["b"][1] = output, -output
    return model, params


def notes(labels, inputs, model, params, costs=(1.0, 0.5), weighted=False):
    class Handle:
        value = params

    block = Block(np.arange(len(labels)), np.asarray(inputs, np.float32), np.asarray(labels))
    history = tuple(Epoch(n, cost, 0.5, 0.1, True, 4) for n, cost in enumerate(costs, 1))
    score = evaluate(LocalRDD([[block]]), model, Handle)
    return diagnosis.notes(score, Progress({}, history), model, params, weighted)


INPUTS = [[0, 0], [0, 0], [1, 1], [1, 1]]


def test_a_network_that_tells_the_classes_apart_is_not_noted():
    assert notes([0, 0, 1, 1], INPUTS, *model_of(output=1.0)) == []


def test_one_class_for_all_rows_is_noted():
    found = notes([0, 0, 1, 1], INPUTS, *model_of())
    assert len(found) == 1
    assert found[0].startswith(
        "all 4 test rows were predicted as class 0; always predicting the most frequent class, 0, would be right for "
        "50.00%: try --scale standard (each column"
    )


def test_an_accuracy_of_the_largest_class_is_noted_whatever_is_predicted():
    (note,) = notes([1, 1, 0, 1], INPUTS, *model_of(output=1.0))
    assert note.startswith(
        "the accuracy of 25.00% is no better than a constant: always predicting the most frequent class, 1,"
    )


def test_with_weights_of_classes_only_one_class_for_all_rows_is_noted():
    assert notes([1, 1, 0, 1], INPUTS, *model_of(output=1.0), weighted=True) == []
    assert len(notes([0, 0, 1, 1], INPUTS, *model_of(), weighted=True)) == 1


def test_a_test_set_of_one_class_says_nothing():
    assert notes([0, 0, 0, 0], INPUTS, *model_of()) == []


def test_dead_units_are_named_as_the_reason():
    found = notes([0, 0, 1, 1], INPUTS, *model_of(hidden_bias=-100.0), costs=(0.7, 0.7))
    assert len(found) == 2 and found[1].startswith("layer 2 relu gives 0 in all units for all 4 rows")


@pytest.mark.parametrize(("costs", "noted"), [((0.7, 0.6999), True), ((0.7, 0.6), False), ((0.7,), False)])
def test_a_cost_that_stands_still_is_named_as_the_reason(costs, noted):
    found = notes([0, 0, 1, 1], INPUTS, *model_of(), costs=costs)
    assert (len(found) == 2) == noted
    if noted:
        assert (
            "hardly changed in 2 epochs: from 0.700000 to 0.699900; try a larger --learning-rate" in found[1]
        )


def test_classes_have_their_names():
    model, params = model_of()
    named = dataclasses.replace(model, decoder=ClassLabels(("cat", "dog")))
    (note,) = notes([0, 0, 1, 1], INPUTS, named, params)
    assert note.startswith(
        "all 4 test rows were predicted as class cat; always predicting the most frequent class, cat,"
    )


@pytest.mark.parametrize(("weight", "noted"), [(0.0, True), (-1.0, True), (1.0, False)])
def test_a_regression_that_is_no_better_than_the_mean_is_noted(weight, noted):
    encoder = TableEncoder((Number("a"), Number("b")))
    model = Sequential((Dense(1),), (2,), SquaredError(), encoder, TargetScale(10.0, 2.0))
    params = model.init(0)
    params[0]["W"][:] = [[weight], [0]]
    found = notes([9.0, 9.0, 11.0, 11.0], [[-0.5, 0], [-0.5, 0], [0.5, 0], [0.5, 0]], model, params)
    assert bool(found) == noted
    if noted:
        assert (
            "is no better than that of always predicting the mean of the training rows, 1: try more --epochs"
            in (found[0])
        )


def test_rejected_steps_are_no_change():
    model, params = model_of()
    block = Block(np.arange(4), np.asarray(INPUTS, np.float32), np.array([0, 0, 1, 1]))

    class Handle:
        value = params

    history = (
        Epoch(1, 0.7, 0.5, 0.1, True, 4),
        Epoch(2, 9.0, 0.5, 0.1, False, 4),
        Epoch(3, 0.7, 0.5, 0.1, True, 4),
    )
    found = diagnosis.notes(
        evaluate(LocalRDD([[block]]), model, Handle), Progress({}, history), model, params
    )
    assert len(found) == 2 and metrics.accuracy(evaluate(LocalRDD([[block]]), model, Handle).confusion) == 0.5
