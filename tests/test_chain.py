"""The chain equals a plain loop, its gradients are true, and blocks add up however they are cut."""

from functools import reduce
from operator import add

import numpy as np
import pytest
from conftest import blobs
from hypothesis import given
from hypothesis import strategies as st

from nn import chain, local, sampling, tree
from nn.layers import ACTIVATIONS, Dense, layer_from_config
from nn.local import Blocks, Held, blocks_of
from nn.losses import LOSSES
from nn.model import Sequential, multilayer_perceptron
from nn.records import Block, Draw, Pass

INPUTS, LABELS = blobs(100)
MODEL = multilayer_perceptron(16, 3, (6,), "sigmoid", "mse", scale=255.0)
PARAMS = MODEL.init(5)


def plain_loop(params, inputs, labels):
    """Forward and backward pass of 16 -> 6 sigmoid -> 3 sigmoid with half squared error, one row at a time."""
    W1, b1, W2, b2 = params[0]["W"], params[0]["b"], params[2]["W"], params[2]["b"]
    loss = hits = 0
    grads = [np.zeros_like(a, dtype=float) for a in (W1, b1, W2, b2)]
    for row, label in zip(inputs, labels, strict=True):
        x = row / 255.0
        hidden = 1 / (1 + np.exp(-(x @ W1 + b1)))
        out = 1 / (1 + np.exp(-(hidden @ W2 + b2)))
        error = out - np.eye(3)[label]
        loss += 0.5 * float(error @ error)
        hits += int(out.argmax() == label)
        delta2 = error * out * (1 - out)
        delta1 = (W2 @ delta2) * hidden * (1 - hidden)
        for total, g in zip(
            grads, (np.outer(x, delta1), delta1, np.outer(hidden, delta2), delta2), strict=True
        ):
            total += g
    return loss, hits, grads


def assert_same_gradients(tally, expected, rel=1e-4):
    for found, wanted in zip(tree.arrays(tally.grads), expected, strict=True):
        assert np.linalg.norm(found - wanted) <= rel * np.linalg.norm(wanted)


@pytest.mark.parametrize("block_rows", [1, 7, 100])
def test_chain_on_a_list_equals_a_plain_loop(block_rows):
    tally = chain.gradients(blocks_of(INPUTS, LABELS, block_rows=block_rows), MODEL, Held(PARAMS), Draw())
    loss, hits, grads = plain_loop(PARAMS, INPUTS, LABELS)
    assert tally.train.loss == pytest.approx(loss, rel=1e-5)
    assert (tally.train.correct, tally.train.rows, tally.senders, tally.weight) == (hits, 100, 100, 100)
    assert_same_gradients(tally, grads)


@pytest.mark.spark
def test_chain_on_an_rdd_gives_the_bits_of_the_chain_on_a_list(spark):
    whole = blocks_of(INPUTS, LABELS, block_rows=9).partitions[0]
    partitions = [whole[:5], whole[5:]]
    for draw in (Draw(1, 2, 0.6), Draw(1, 2, batch=1, batch_size=30, total=100)):
        rdd = spark.parallelize(partitions, 2).flatMap(list)
        there = chain.gradients(rdd, MODEL, spark.broadcast(PARAMS), draw)
        here = chain.gradients(Blocks(partitions), MODEL, Held(PARAMS), draw)
        assert there.train == here.train and there.senders == here.senders
        for a, b in zip(tree.arrays(there.grads), tree.arrays(here.grads), strict=True):
            assert np.array_equal(a, b)


def test_sample_measures_all_rows_and_sends_the_gradients_of_some():
    tally = chain.gradients(blocks_of(INPUTS, LABELS, block_rows=30), MODEL, Held(PARAMS), Draw(3, 4, 0.5))
    taken = sampling.sample(3, 4, np.arange(100), 0.5)
    loss, _, _ = plain_loop(PARAMS, INPUTS, LABELS)
    _, _, grads = plain_loop(PARAMS, INPUTS[taken], LABELS[taken])
    assert tally.train.loss == pytest.approx(loss, rel=1e-5)
    assert tally.senders == taken.sum() and tally.train.rows == 100
    assert_same_gradients(tally, grads)


def test_mean_gradients_of_a_sample_are_over_the_rows_that_sent_them():
    taken = sampling.sample(3, 4, np.arange(100), 0.5)
    sampled = chain.gradients(blocks_of(INPUTS, LABELS), MODEL, Held(PARAMS), Draw(3, 4, 0.5)).mean_grads()
    alone = chain.gradients(blocks_of(INPUTS[taken], LABELS[taken]), MODEL, Held(PARAMS), Draw()).mean_grads()
    for a, b in zip(tree.arrays(sampled), tree.arrays(alone), strict=True):
        assert np.allclose(a, b, atol=1e-6)


def test_batches_of_an_epoch_add_up_to_all_rows():
    blocks = blocks_of(INPUTS, LABELS, block_rows=30)
    draws = [Draw(3, 4, batch=number, batch_size=32, total=100) for number in range(4)]
    tallies = [chain.gradients(blocks, MODEL, Held(PARAMS), draw) for draw in draws]
    assert [t.senders for t in tallies] == [32, 32, 32, 4]
    assert_same_gradients(reduce(add, tallies), plain_loop(PARAMS, INPUTS, LABELS)[2])


def test_mean_gradients_weigh_rows_not_blocks():
    whole = chain.gradients(blocks_of(INPUTS, LABELS), MODEL, Held(PARAMS), Draw())
    lopsided = Blocks(
        [[Block(np.arange(100)[part], INPUTS[part], LABELS[part])] for part in (slice(1), slice(1, 100))]
    )
    parts = chain.gradients(lopsided, MODEL, Held(PARAMS), Draw())
    for a, b in zip(tree.arrays(whole.mean_grads()), tree.arrays(parts.mean_grads()), strict=True):
        assert np.allclose(a, b, atol=1e-6)


def test_weights_count_rows_several_times():
    times = np.random.default_rng(0).integers(0, 3, 100)
    weighted = chain.gradients(blocks_of(INPUTS, LABELS, times.astype(float)), MODEL, Held(PARAMS), Draw())
    again = np.repeat(np.arange(100), times)
    repeated = chain.gradients(blocks_of(INPUTS[again], LABELS[again]), MODEL, Held(PARAMS), Draw())
    assert weighted.train.cost == pytest.approx(repeated.train.cost, rel=1e-5)
    assert weighted.train.accuracy == pytest.approx(repeated.train.accuracy)
    assert weighted.weight == repeated.weight
    assert_same_gradients(weighted, tree.arrays(repeated.grads))


def test_costs_measures_what_gradients_measures():
    blocks = blocks_of(INPUTS, LABELS, block_rows=40)
    measured = chain.costs(blocks, MODEL, Held(PARAMS), Draw())
    assert measured.train == chain.gradients(blocks, MODEL, Held(PARAMS), Draw()).train
    assert measured.grads is None and measured.senders == 0


def test_prediction_is_the_training_forward_pass():
    outputs = chain.forward_passes(blocks_of(INPUTS, LABELS), MODEL, Held(PARAMS), Draw()).collect()[0].x
    assert np.array_equal(outputs, MODEL.forward(PARAMS, INPUTS))


@given(
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from(ACTIVATIONS)), max_size=4),
    st.sampled_from(sorted(LOSSES)),
    st.integers(0, 1000),
)
def test_gradients_of_random_networks_match_the_slope(stack, loss, seed):
    rng = np.random.default_rng(seed)
    layers = [layer for units, name in stack for layer in (Dense(units), layer_from_config({"name": name}))]
    model = Sequential((*layers, Dense(3)), (4,), LOSSES[loss]())
    params = tree.map_arrays(lambda a: rng.normal(size=a.shape), model.init(seed))
    step = tree.map_arrays(lambda a: rng.normal(size=a.shape), params)
    x, labels = rng.normal(size=(5, 4)), rng.integers(0, 3, 5)

    def run(point):
        held = Held(point)
        passing = Pass(labels, None, None, x)
        for index, layer in enumerate(model.layers):
            passing = chain.forward(layer, index, held, passing)
        passing = chain.lose(model.loss, passing)
        for index in reversed(range(len(model.layers))):
            passing = chain.backward(model.layers[index], index, held, passing)
        return chain.tally(passing)

    def along(t):
        return run(tree.add(params, tree.scale(step, t))).train.loss

    promised = tree.dot(run(params).grads, step)
    slope = (along(1e-6) - along(-1e-6)) / 2e-6
    assert slope == pytest.approx(promised, rel=1e-6, abs=1e-6)


def test_local_blocks_run_one_block_through_all_stages_at_a_time():
    seen = []
    blocks = (
        Blocks([[1, 2], [], [3]])
        .map(lambda e: seen.append(("a", e)) or e)
        .map(lambda e: seen.append(("b", e)) or e)
    )
    assert seen == []
    assert blocks.reduce(add) == 6
    assert seen == [("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)]


def test_local_blocks_reduce_in_the_order_of_their_partitions():
    assert Blocks([["a", "b"], [], ["c"], ["d", "e"]]).reduce(add) == "abcde"


def test_local_blocks_refuse_labels_that_do_not_match():
    with pytest.raises(ValueError, match="got 100 inputs, 99 labels"):
        local.blocks_of(INPUTS, LABELS[:99])
