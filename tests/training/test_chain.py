"""The chain equals a plain loop, its gradients are true, and blocks add up however they are cut."""

from functools import partial, reduce
from operator import add
from types import SimpleNamespace

import numpy as np
import pytest

from nn.core import random, spec, tree
from nn.data import batches
from nn.data.augmentation import Rotate, Shift, augment
from nn.data.batches import RowSelection
from nn.data.block import Block
from nn.data.decoding import TargetScale
from nn.data.encoding import SharedScale
from nn.data.hold_out import HoldOut
from nn.data.local_rdd import LocalBroadcast, LocalRDD, local_rdd
from nn.layers import Conv2D, Dense, Dropout, Flatten, Relu
from nn.models.builder import build_network, perceptron_layers
from nn.models.losses import LOSSES
from nn.models.regression_losses import REGRESSION_LOSSES
from nn.models.sequential import MAX_LAYERS, Sequential
from nn.training import batching, chain, timing
from tests.support.data import blobs
from tests.support.networks import multilayer_perceptron
from tests.support.training import step

INPUTS, LABELS = blobs(100)
MODEL = multilayer_perceptron(16, 3, (6,), "sigmoid", "mse", scale=255.0)
PARAMS = MODEL.init(5)


@pytest.mark.parametrize("word", ["mse", "absolute-error", "huber:0.5"])
def test_gradients_of_a_regression_are_true_from_the_rows_to_the_sums(word):
    """In the target's unit at the one end and at the other; the target is standardized in between."""
    loss, decoder = spec.parse(word, REGRESSION_LOSSES, "loss"), TargetScale(1000.0, 50.0)
    layers = perceptron_layers((6,), "tanh")
    model = build_network(layers, (16,), 1, loss, SharedScale(255.0), decoder=decoder)
    values = 1000 + 50 * np.random.default_rng(1).normal(size=100)
    params = tree.map_arrays(lambda a: a.astype(np.float64), model.init(3))
    blocks = local_rdd(INPUTS, values, block_rows=30)

    def sums(point):
        return step(blocks, model, LocalBroadcast(point), RowSelection(0, 1, 1.0))

    grads = sums(params).grads
    direction = tree.map_arrays(lambda a: np.random.default_rng(a.size).normal(size=a.shape), params)
    up, down = (sums(tree.add(params, tree.scale(direction, t))).train.loss for t in (1e-6, -1e-6))
    assert (up - down) / 2e-6 == pytest.approx(tree.dot(grads, direction), rel=1e-4)
    outputs = model.forward(params, INPUTS)
    expected = loss.of_errors(outputs[:, 0] - (values - 1000) / 50).sum()
    assert sums(params).train.loss == pytest.approx(expected, rel=1e-5) and sums(params).train.correct == 0


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


def assert_same_gradients(sums, expected, rel=1e-4):
    for found, wanted in zip(tree.arrays(sums.grads), expected, strict=True):
        assert np.linalg.norm(found - wanted) <= rel * np.linalg.norm(wanted)


@pytest.mark.parametrize("block_rows", [1, 7, 100])
def test_chain_on_a_list_equals_a_plain_loop(block_rows):
    sums = step(
        local_rdd(INPUTS, LABELS, block_rows=block_rows), MODEL, LocalBroadcast(PARAMS), RowSelection()
    )
    loss, hits, grads = plain_loop(PARAMS, INPUTS, LABELS)
    assert sums.train.loss == pytest.approx(loss, rel=1e-5)
    assert (sums.train.correct, sums.train.rows, sums.sampled, sums.weight) == (hits, 100, 100, 100)
    assert_same_gradients(sums, grads)


@pytest.mark.spark
def test_chain_on_an_rdd_gives_the_bits_of_the_chain_on_a_list(spark):
    whole = local_rdd(INPUTS, LABELS, block_rows=9).partitions[0]
    partitions = [whole[:5], whole[5:]]
    for selection in (RowSelection(1, 2, 0.6), RowSelection(1, 2, batch=1, batches=4, total=100)):
        rdd = spark.parallelize(partitions, 2).flatMap(list)
        there = step(rdd, MODEL, spark.broadcast(PARAMS), selection)
        here = step(LocalRDD(partitions), MODEL, LocalBroadcast(PARAMS), selection)
        assert there.train == here.train and there.sampled == here.sampled
        for a, b in zip(tree.arrays(there.grads), tree.arrays(here.grads), strict=True):
            assert np.array_equal(a, b)


def test_sample_measures_all_rows_and_sends_the_gradients_of_some():
    sums = step(
        local_rdd(INPUTS, LABELS, block_rows=30), MODEL, LocalBroadcast(PARAMS), RowSelection(3, 4, 0.5)
    )
    taken = random.sample(3, 4, np.arange(100), 0.5)
    loss, _, _ = plain_loop(PARAMS, INPUTS, LABELS)
    _, _, grads = plain_loop(PARAMS, INPUTS[taken], LABELS[taken])
    assert sums.train.loss == pytest.approx(loss, rel=1e-5)
    assert sums.sampled == taken.sum() and sums.train.rows == 100
    assert_same_gradients(sums, grads)


def test_mean_gradients_of_a_sample_are_over_the_rows_that_sent_them():
    taken = random.sample(3, 4, np.arange(100), 0.5)
    sampled = step(
        local_rdd(INPUTS, LABELS), MODEL, LocalBroadcast(PARAMS), RowSelection(3, 4, 0.5)
    ).mean_grads_inplace()
    alone = step(
        local_rdd(INPUTS[taken], LABELS[taken]), MODEL, LocalBroadcast(PARAMS), RowSelection()
    ).mean_grads_inplace()
    for a, b in zip(tree.arrays(sampled), tree.arrays(alone), strict=True):
        assert np.allclose(a, b, atol=1e-6)


def test_batches_of_an_epoch_add_up_to_all_rows():
    blocks = local_rdd(INPUTS, LABELS, block_rows=30)
    draws = [RowSelection(3, 4, batch=number, batches=4, total=100) for number in range(4)]
    partial_sums = [step(blocks, MODEL, LocalBroadcast(PARAMS), selection) for selection in draws]
    assert [t.sampled for t in partial_sums] == [25, 25, 25, 25]
    assert_same_gradients(reduce(add, partial_sums), plain_loop(PARAMS, INPUTS, LABELS)[2])


def test_mean_gradients_weigh_rows_not_blocks():
    whole = step(local_rdd(INPUTS, LABELS), MODEL, LocalBroadcast(PARAMS), RowSelection())
    lopsided = LocalRDD(
        [[Block(np.arange(100)[part], INPUTS[part], LABELS[part])] for part in (slice(1), slice(1, 100))]
    )
    parts = step(lopsided, MODEL, LocalBroadcast(PARAMS), RowSelection())
    for a, b in zip(
        tree.arrays(whole.mean_grads_inplace()), tree.arrays(parts.mean_grads_inplace()), strict=True
    ):
        assert np.allclose(a, b, atol=1e-6)


def test_weights_count_rows_several_times():
    times = np.random.default_rng(0).integers(0, 3, 100)
    weighted = step(
        local_rdd(INPUTS, LABELS, times.astype(float)), MODEL, LocalBroadcast(PARAMS), RowSelection()
    )
    again = np.repeat(np.arange(100), times)
    repeated = step(local_rdd(INPUTS[again], LABELS[again]), MODEL, LocalBroadcast(PARAMS), RowSelection())
    assert weighted.train.cost == pytest.approx(repeated.train.cost, rel=1e-5)
    unweighted = step(local_rdd(INPUTS, LABELS), MODEL, LocalBroadcast(PARAMS), RowSelection())
    assert weighted.train.accuracy == unweighted.train.accuracy  # a share of rows, whatever they weigh
    assert weighted.weight == repeated.weight
    assert_same_gradients(weighted, tree.arrays(repeated.grads))


def test_costs_measures_what_gradients_measures():
    blocks = local_rdd(INPUTS, LABELS, block_rows=40)
    measured = step(blocks, MODEL, LocalBroadcast(PARAMS), RowSelection(fraction=0.0))
    assert measured.train == step(blocks, MODEL, LocalBroadcast(PARAMS), RowSelection()).train
    assert measured.grads is None and measured.sampled == 0


def test_prediction_is_the_training_forward_pass():
    batches = local_rdd(INPUTS, LABELS).map(partial(batching.start_batch, MODEL, RowSelection()))
    for index, layer in enumerate(MODEL.layers):
        batches = batches.map(partial(chain.forward, layer, index, LocalBroadcast(PARAMS)))
    assert np.array_equal(batches.collect()[0].x, MODEL.forward(PARAMS, INPUTS))


# ---- validation rows, noise, augmentation ----

IMAGES = INPUTS.reshape(-1, 4, 4, 1)
NOISY = build_network(
    (Conv2D(3, 2), Relu(), Flatten(), Dropout(0.5)),
    (4, 4, 1),
    3,
    spec.parse("cross-entropy", LOSSES, "loss"),
    SharedScale(255.0),
)
NOISY_PARAMS = NOISY.init(2)
HOLD_OUT = HoldOut(0, 0.3, 100)


def halves(blocks):
    """(blocks of the training rows alone, of the validation rows alone), numbered as HOLD_OUT numbers them."""
    parts = [part for block in blocks.collect() for part in HOLD_OUT.split(block)]
    return [
        LocalRDD([[part._replace(validation=False) for part in parts if part.validation == held]])
        for held in (False, True)
    ]


@pytest.mark.parametrize("selection", [RowSelection(1, 2), RowSelection(1, 2, 0.5)], ids=["all", "sample"])
def test_validation_rows_are_measured_clean_and_send_nothing(selection):
    blocks = local_rdd(IMAGES, LABELS, block_rows=30)
    train, held = halves(blocks)
    both = step(blocks.flatMap(HOLD_OUT.split), NOISY, LocalBroadcast(NOISY_PARAMS), selection)
    alone = step(train, NOISY, LocalBroadcast(NOISY_PARAMS), selection)
    assert both.train == alone.train and both.sampled == alone.sampled and both.weight == alone.weight
    for a, b in zip(tree.arrays(both.grads), tree.arrays(alone.grads), strict=True):
        assert np.array_equal(a, b)
    assert (
        both.validation == step(held, NOISY, LocalBroadcast(NOISY_PARAMS), RowSelection(fraction=0.0)).train
    )
    assert both.validation.rows == HOLD_OUT.rows


def test_a_measuring_job_may_be_of_the_validation_rows_alone():
    blocks = local_rdd(IMAGES, LABELS, block_rows=30).flatMap(HOLD_OUT.split)
    whole = step(blocks, NOISY, LocalBroadcast(NOISY_PARAMS), RowSelection(fraction=0.0))
    alone = step(
        blocks, NOISY, LocalBroadcast(NOISY_PARAMS), RowSelection(fraction=0.0, validation_only=True)
    )
    assert alone.validation == whole.validation and alone.train.rows == 0 and alone.grads is None


def test_batches_leave_validation_rows_out():
    blocks = local_rdd(INPUTS, LABELS, block_rows=30).flatMap(HOLD_OUT.split)
    draws = [RowSelection(3, 4, batch=number, batches=3, total=HOLD_OUT.train_rows) for number in range(3)]
    partial_sums = [step(blocks, MODEL, LocalBroadcast(PARAMS), selection) for selection in draws]
    assert [t.sampled for t in partial_sums] == [24, 24, 24] and HOLD_OUT.train_rows == 72
    assert all(t.validation.rows == 0 for t in partial_sums)


def test_dropout_is_drawn_anew_for_each_seed_epoch_and_block_and_alike_for_the_same():
    def cost(selection, blocks=local_rdd(IMAGES, LABELS, block_rows=50)):  # noqa: B008
        return step(blocks, NOISY, LocalBroadcast(NOISY_PARAMS), selection).train.loss

    draws = [RowSelection(1, 1), RowSelection(1, 2), RowSelection(2, 1)]
    assert len({cost(selection) for selection in draws}) == 3 and cost(RowSelection(1, 1)) == cost(
        RowSelection(1, 1)
    )
    twins = (
        Block(np.arange(50), IMAGES[:50], LABELS[:50]),
        Block(np.arange(50, 100), IMAGES[:50], LABELS[:50]),
    )
    first, second = (batching.start_batch(NOISY, RowSelection(1, 1), block) for block in twins)
    assert first.key != second.key
    assert (
        cost(RowSelection(1, 1))
        != step(
            local_rdd(IMAGES, LABELS), NOISY, LocalBroadcast(NOISY_PARAMS), RowSelection(1, 1, fraction=0.0)
        ).train.loss
    )


def test_each_layer_draws_its_own_numbers():
    found = []
    for index in (0, 1):
        passing = batching.start_batch(MODEL, RowSelection(1, 1), Block(np.arange(100), INPUTS, LABELS))
        passing.x = np.ones((100, 16))
        found.append(chain.forward(Dropout(0.5), index, LocalBroadcast([{}, {}]), passing).x)
    assert not np.array_equal(*found)


def test_augmentation_changes_training_images_alone_and_depends_on_the_row():
    blocks, steps = local_rdd(IMAGES, LABELS, block_rows=30).flatMap(HOLD_OUT.split), (Shift(1.0),)
    passes = blocks.mapPartitions(partial(batching.select, NOISY, steps, RowSelection(1, 1))).collect()
    for passing, block in zip(passes, blocks.collect(), strict=True):
        plain = NOISY.prepare(block.inputs)
        if block.validation:
            assert np.array_equal(passing.x, plain)
        else:
            assert np.array_equal(passing.x, augment(steps, plain, block.rows, 1, 1))
            assert not np.array_equal(passing.x, plain)
    clean = step(blocks, NOISY, LocalBroadcast(NOISY_PARAMS), RowSelection(1, 1, fraction=0.0), steps)
    assert (
        clean.train
        == step(blocks, NOISY, LocalBroadcast(NOISY_PARAMS), RowSelection(1, 1, fraction=0.0)).train
    )


def test_no_layer_before_the_first_that_learns_is_asked_for_its_gradient():
    asked = []

    class Spy(Relu):
        def backward(self, params, cache, dout, needs_dx=True):
            asked.append("spy")

    model = Sequential((Spy(), Flatten(), Dense(3)), (4, 4, 1))
    sums = step(local_rdd(IMAGES, LABELS), model, LocalBroadcast(model.init(0)), RowSelection())
    assert asked == [] and [set(layer) for layer in sums.grads] == [set(), set(), {"W", "b"}]


@pytest.mark.spark
def test_the_deepest_chain_trains_on_spark(spark):
    model = Sequential((*(Relu(),) * (MAX_LAYERS - 1), Dense(3)), (16,))
    rdd = spark.parallelize(local_rdd(INPUTS, LABELS).collect(), 1)
    assert step(rdd, model, spark.broadcast(model.init(0)), RowSelection()).sampled == 100


@pytest.mark.spark
def test_a_noisy_chain_on_an_rdd_gives_the_bits_of_the_chain_on_a_list(spark):
    whole = local_rdd(IMAGES, LABELS, block_rows=20).partitions[0]
    partitions, steps = [whole[:2], whole[2:]], (Shift(1.0), Rotate(10.0))
    for selection in (
        RowSelection(1, 2),
        RowSelection(1, 2, batch=1, batches=3, total=HOLD_OUT.train_rows),
        RowSelection(fraction=0.0),
    ):
        rdd = spark.parallelize(partitions, 2).flatMap(list).flatMap(HOLD_OUT.split)
        there = step(rdd, NOISY, spark.broadcast(NOISY_PARAMS), selection, steps)
        here = step(
            LocalRDD(partitions).flatMap(HOLD_OUT.split),
            NOISY,
            LocalBroadcast(NOISY_PARAMS),
            selection,
            steps,
        )
        assert there[:4] == here[:4]
        for a, b in zip(tree.arrays(there.grads or []), tree.arrays(here.grads or []), strict=True):
            assert np.array_equal(a, b)


def test_local_blocks_run_one_block_through_all_stages_at_a_time():
    seen = []
    blocks = (
        LocalRDD([[1, 2], [], [3]])
        .map(lambda e: seen.append(("a", e)) or e)
        .map(lambda e: seen.append(("b", e)) or e)
    )
    assert seen == []
    assert blocks.reduce(add) == 6
    assert seen == [("a", 1), ("b", 1), ("a", 2), ("b", 2), ("a", 3), ("b", 3)]


def test_local_blocks_reduce_in_the_order_of_their_partitions():
    assert LocalRDD([["a", "b"], [], ["c"], ["d", "e"]]).reduce(add) == "abcde"


def test_local_blocks_refuse_labels_that_do_not_match():
    with pytest.raises(ValueError, match="got 100 inputs, 99 labels"):
        local_rdd(INPUTS, LABELS[:99])


def test_waiting_for_blocks_is_told_from_packing_and_computing(monkeypatch):
    now = 0.0

    def passes(seconds):
        nonlocal now
        now += seconds

    def slow(blocks):
        for block in blocks:
            passes(5)
            yield block

    def packed(blocks, join=batches.join):
        passes(1)
        return join(blocks)

    for module in (chain, batching, timing):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: now))
    monkeypatch.setattr(batches, "join", packed)
    inputs, labels = blobs(60)
    model = multilayer_perceptron(16, 3, (4,), "relu", "cross-entropy", 255.0)
    blocks = local_rdd(inputs, labels, block_rows=20).mapPartitions(slow)
    for selection, compute in ((RowSelection(), 0), (RowSelection(batch=0, batches=2, total=60), 1)):
        times = step(blocks, model, LocalBroadcast(model.init(0)), selection).times
        assert (times.read, times.compute) == (15, compute)
