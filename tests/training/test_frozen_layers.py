"""Frozen layers: their weights keep their bits, and they have no gradients, slots or penalty and draw nothing."""

import dataclasses
from typing import ClassVar

import numpy as np
import pytest

from nn.core import tree
from nn.data.batches import RowSelection
from nn.data.local_rdd import LocalBroadcast, local_rdd
from nn.layers import Dense, Dropout, Relu
from nn.models.losses import CrossEntropy
from nn.models.sequential import Sequential
from nn.training.backend import Facts, Job
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.run import TrainingRun
from tests.support.data import blobs
from tests.support.training import step

INPUTS, LABELS = blobs(120, width=9)
FACTS = Facts(9, LABELS, 3, 255.0, are_pixels=True)
LAYERS = "dense:7,relu,dropout:0.4,dense:6,tanh,dropout:0.3"
SHARED = {"layers": LAYERS, "loss": "cross-entropy", "scale": "largest", "epochs": 3, "l2": 0.1}
WAYS = {
    "mini-batches": {"batch_size": 30, "optimizer": "adamw:weight_decay=0.1"},
    "replicas": {"average": "parameters", "batch_size": 30, "optimizer": "adamw:weight_decay=0.1"},
    "rejected steps": {"optimizer": "momentum", "learning_rate": 5.0},
    "l-bfgs": {"optimizer": "l-bfgs", "layers": "dense:7,relu,dropout:0.4,dense:6,tanh"},
}


def run_of(**options):
    return TrainingRun.of(Recipe.of(**{**SHARED, **options}), FACTS)


def trained(run):
    """The initial parameters and the last ones."""
    *_, last = run.epochs(LocalBackend(local_rdd(INPUTS, LABELS)))
    return run.initial_params(), run.final_params(last)


def same_bits(one, other):
    return [all(np.array_equal(a[name], b[name]) for name in a) for a, b in zip(one, other, strict=True) if a]


@pytest.mark.parametrize("way", WAYS)
def test_frozen_weights_keep_their_bits_and_the_others_learn(way):
    first, last = trained(run_of(**WAYS[way], freeze=3))
    assert same_bits(first, last) == [True, False, False]


@pytest.mark.parametrize("way", WAYS)
def test_the_optimizer_has_no_state_of_frozen_layers(way):
    run = run_of(**WAYS[way], freeze=3)
    state, whole = run.start().state, run.initial_params()
    assert len(state.trial) == len(whole) - 3
    slots = getattr(state, "slots", [])
    size = tree.count(whole[3:])
    assert tree.bytes_of(slots) <= 4 * 3 * size + 64  # two of adam's, one of the driver's, counts of steps


def test_gradients_of_the_others_are_those_of_a_network_that_is_not_frozen():
    model = run_of(layers="dense:7,relu,dense:6,tanh,dropout:0.3").model
    params, blocks = model.init(1), local_rdd(INPUTS, LABELS)
    whole = step(blocks, model, LocalBroadcast(params), RowSelection(fraction=0.7))
    part = step(blocks, model, LocalBroadcast(params), RowSelection(fraction=0.7), frozen=2)
    assert same_bits(whole.grads[2:], part.grads) == [True, True] and part[:4] == whole[:4]
    assert len(part.grads) == len(model.layers) - 2


def test_frozen_dropout_draws_nothing():
    frozen = Sequential((Dropout(0.5), Dense(4), Relu(), Dropout(0.5), Dense(3)), (9,), CrossEntropy())
    without = Sequential((Dropout(0.0), Dense(4), Relu(), Dropout(0.5), Dense(3)), (9,), CrossEntropy())
    params, blocks = frozen.init(1), local_rdd(INPUTS, LABELS)
    sums = step(blocks, frozen, LocalBroadcast(params), RowSelection(), frozen=3)
    same = step(blocks, without, LocalBroadcast(params), RowSelection(), frozen=3)
    other = step(blocks, frozen, LocalBroadcast(params), RowSelection())
    assert sums.train == same.train != other.train
    assert same_bits(sums.grads, same.grads) == [
        True
    ]  # the dropout that learns draws as it does without the other


def test_a_network_with_frozen_dropout_alone_takes_one_job_for_an_epoch():
    assert run_of(layers="dense:7,dropout:0.5", freeze=2).jobs_per_epoch() == 1
    assert run_of(layers="dense:7,dropout:0.5", freeze=1).jobs_per_epoch() == 2


@pytest.mark.parametrize("way", ["mini-batches", "replicas"])
def test_the_penalty_is_of_the_weights_that_learn(way):
    run = run_of(**WAYS[way], freeze=3, layers="dense:7,relu,dense:6,tanh", learning_rate=1e-30)
    bare = dataclasses.replace(
        run, objective=run.objective._replace(penalty=run.objective.penalty.__class__())
    )
    costs = []
    for each in (run, bare):
        job = Job(each.objective, each.optimizer.ask(each.start().state), RowSelection())
        (sums,) = LocalBackend(local_rdd(INPUTS, LABELS)).run([job])
        costs.append(sums.train.cost)
    expected = 0.05 * sum(np.sum(layer["W"] ** 2) for layer in run.initial_params()[3:] if layer)
    # adamw's decay moves the weights by nothing at this rate
    assert costs[0] - costs[1] == pytest.approx(expected, rel=1e-5)


@dataclasses.dataclass(frozen=True)
class OneWay(Dense):
    """A layer that cannot go back."""

    name: ClassVar[str] = "one_way"

    def backward(self, params, cache, dout, needs_dx=True):
        raise AssertionError("a frozen layer was asked for gradients")


def test_frozen_layers_have_no_backward_pass():
    model = Sequential((OneWay(7), Relu(), Dense(4), Relu(), Dense(3)), (9,), CrossEntropy())
    params, blocks = LocalBroadcast(model.init(1)), local_rdd(INPUTS, LABELS)
    assert len(step(blocks, model, params, RowSelection(), frozen=2).grads) == 3
    with pytest.raises(AssertionError, match="asked for gradients"):
        step(blocks, model, params, RowSelection(), frozen=0)


def test_freezing_all_layers_is_refused():
    with pytest.raises(
        ValueError, match="freeze: expected at most 6, the layers before the output's, .* found 7"
    ):
        run_of(freeze=7, batch_size=30)


def test_dropout_that_is_not_frozen_is_refused_with_l_bfgs():
    with pytest.raises(ValueError, match="l-bfgs and dropout exclude each other"):
        run_of(optimizer="l-bfgs", layers="dense:7,dropout:0.5", freeze=1)
