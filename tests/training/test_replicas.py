"""Replicas descend by themselves; their changes count by the weight of their rows."""

import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nn.core import tree
from nn.core.errors import DivergenceError
from nn.data import batches
from nn.data.augmentation import Shift, augment
from nn.data.batches import RowSelection, kept, mini_batches
from nn.data.block import Block
from nn.data.encoding import SharedScale
from nn.data.hold_out import HoldOut
from nn.data.local_rdd import LocalBroadcast, LocalRDD, local_rdd
from nn.layers import Flatten
from nn.optim.first_order import FirstOrder
from nn.optim.optimizer import accepted_params
from nn.optim.parameter_averaging import ParameterAveraging
from nn.optim.regularization import Penalty
from nn.optim.rules import SGD, Adam, Momentum
from nn.optim.schedules import BoldDriver, Constant, Cosine
from nn.spark import backend
from nn.training import batching, replicas
from nn.training.plan import Plan
from nn.training.records import Measures, Progress
from tests.support.data import blobs
from tests.support.networks import multilayer_perceptron
from tests.support.training import descend_on, measure_on, step, train

INPUTS, LABELS = blobs(300)
MODEL = multilayer_perceptron(16, 3, (8,), "relu", "cross-entropy", scale=255.0)
PARAMS = MODEL.init(3)


def cut(bounds, weights=None, block_rows=32):
    """The rows in partitions that end at the bounds, in blocks."""
    partitions = []
    for start, end in zip([0, *bounds], [*bounds, 300], strict=True):
        rows = np.arange(start, end)
        whole = Block(rows, INPUTS[rows], LABELS[rows], None if weights is None else weights[rows])
        partitions.append([whole.take(slice(at, at + block_rows)) for at in range(0, len(rows), block_rows)])
    return LocalRDD(partitions)


def after_a_round(blocks, optimizer, selection=None, **options):
    state = optimizer.init(PARAMS).copy_for_update()
    sums = descend_on(blocks, MODEL, **options)(optimizer.ask(state), selection or RowSelection())
    return optimizer.step(state, sums.mean_grads_inplace()), sums


def assert_close(found, expected, atol=1e-6):
    for a, b in zip(tree.arrays(found), tree.arrays(expected), strict=True):
        assert np.allclose(a, b, atol=atol)


def assert_same_bits(found, expected):
    for a, b in zip(tree.arrays(found), tree.arrays(expected), strict=True):
        assert np.array_equal(a, b)


def test_no_velocity_of_a_replica_is_denormal_where_pixels_are_white_in_one_row_alone(monkeypatch):
    inputs = np.zeros((1500, 16), np.uint8)
    inputs[:, -1] = 255
    np.fill_diagonal(inputs, 255)
    rows = LocalRDD([[Block(np.arange(1500), inputs, np.resize(LABELS, 1500))]])

    def denormal_velocities():
        averaging = ParameterAveraging(FirstOrder(Momentum(), Constant(), 0.1), batch_size=1)
        state, _ = after_a_round(rows, averaging)
        velocity = state.slots.inner[0]["W"]["velocity"]
        return ((velocity != 0) & (np.abs(velocity) < np.finfo(np.float32).tiny)).sum()

    assert denormal_velocities() == 0
    monkeypatch.setattr(replicas, "FLUSH_STEPS", 10**9)
    assert denormal_velocities() > 0  # else this tests nothing


def test_a_replica_looks_for_denormal_numbers_in_its_first_step_and_every_64_steps(monkeypatch):
    averaging, seen = ParameterAveraging(FirstOrder(Momentum(), Constant(), 0.1), batch_size=2), []
    flush = replicas.flush_denormal
    monkeypatch.setattr(replicas, "flush_denormal", lambda slots: seen.append(1) or flush(slots))
    for rows, flushes in ((2, 1), (128, 1), (130, 2), (300, 3)):
        block = Block(np.arange(rows), np.ones((rows, 16), np.uint8), np.resize(LABELS, rows))
        seen.clear()
        after_a_round(LocalRDD([[block]]), averaging)
        assert len(seen) == flushes


@pytest.mark.parametrize(
    "weights", [None, np.random.default_rng(1).uniform(0, 3, 300)], ids=["rows", "weights"]
)
@pytest.mark.parametrize("bounds", [[], [10], [2, 250], [0, 0, 299]], ids=str)
def test_replicas_of_one_step_each_average_to_one_step_over_all_rows(bounds, weights):
    """A mean of means would let the replica of two rows pull as hard as that of 248."""
    averaging = ParameterAveraging(FirstOrder(SGD(), Constant(), 0.5), batch_size=1000)
    state, sums = after_a_round(cut(bounds, weights), averaging, penalty=Penalty(l2=0.01))
    gradient = FirstOrder(SGD(), Constant(), 0.5)
    measure = measure_on(cut([], weights), MODEL, penalty=Penalty(l2=0.01))
    whole = gradient.move(gradient.init(PARAMS), measure(PARAMS, RowSelection()).mean_grads_inplace())
    assert_close(state.trial, whole.trial)
    assert sums.sampled == 300
    assert sums.weight == pytest.approx(300 if weights is None else weights.sum())


def test_a_replica_takes_the_steps_of_the_rule_along_its_mini_batches():
    averaging = ParameterAveraging(FirstOrder(Momentum(0.8), Constant(), 0.2, clip=0.3), batch_size=40)
    state, sums = after_a_round(cut([]), averaging, RowSelection(5, 2))
    by_hand = FirstOrder(Momentum(0.8), Constant(), 0.2, clip=0.3)
    expected, loss = by_hand.init(PARAMS).copy_for_update(), 0.0
    for batch in mini_batches(iter(cut([]).collect()), 40, RowSelection(5, 2)):
        one = step(LocalRDD([[batch]]), MODEL, LocalBroadcast(expected.trial), RowSelection(5, 2))
        expected, loss = by_hand.step(expected, one.mean_grads_inplace()), loss + one.train.loss
    assert_close(state.trial, expected.trial)
    assert_close(state.slots.inner, expected.slots)
    assert sums.train.loss == pytest.approx(loss) and sums.train.rows == 300


def test_what_the_rule_keeps_is_averaged_as_rows_weigh_and_counts_are_rounded():
    averaging = ParameterAveraging(FirstOrder(Adam(), Constant(), 0.01), batch_size=30)
    blocks = cut([60])  # 2 steps and 8 steps: 0.2 * 2 + 0.8 * 8 = 6.8
    state, _ = after_a_round(blocks, averaging)
    slots = state.slots.inner[0]["W"]
    assert slots["steps"] == 7 and slots["steps"].dtype == np.int64 and slots["steps"].shape == ()
    means = []
    for partition in blocks.partitions:
        alone, _ = after_a_round(LocalRDD([partition]), averaging)
        means.append(alone.slots.inner[0]["W"]["squares"])
    assert np.allclose(slots["squares"], 0.2 * means[0] + 0.8 * means[1], rtol=1e-5)
    assert slots["squares"].dtype == np.float32


def test_empty_replicas_and_rows_that_weigh_nothing_change_nothing():
    averaging = ParameterAveraging(FirstOrder(Momentum(), Constant(), 0.1), batch_size=20)
    full = cut([100])
    state, _ = after_a_round(full, averaging)
    missing_values = LocalRDD([[], full.partitions[0], [], full.partitions[1], []])
    assert_same_bits(after_a_round(missing_values, averaging)[0].trial, state.trial)
    weightless = cut([100], np.where(np.arange(300) < 100, 0.0, 1.0))
    alone, _ = after_a_round(LocalRDD([cut([100], np.ones(300)).partitions[1]]), averaging)
    assert_same_bits(after_a_round(weightless, averaging)[0].trial, alone.trial)


def test_validation_rows_are_not_learned_from():
    hold_out = HoldOut(0, 0.3, 300)
    averaging = ParameterAveraging(FirstOrder(SGD(), Constant(), 0.1), batch_size=20)
    divided = cut([100]).flatMap(hold_out.split)
    state, sums = after_a_round(divided, averaging)
    assert sums.sampled == hold_out.train_rows and sums.validation.rows == 0
    train_only = LocalRDD(
        [[b for b in divided._run(part) if not b.validation] for part in divided.partitions]
    )
    assert_same_bits(after_a_round(train_only, averaging)[0].trial, state.trial)


@pytest.mark.parametrize("rounds", [2, 7])
def test_rounds_share_the_rows_of_an_epoch_out(rounds, monkeypatch):
    learned = []
    descend = descend_on(cut([100, 220]), MODEL)
    averaging = ParameterAveraging(FirstOrder(SGD(), Constant(), 0.1, 1, rounds), batch_size=20)
    begin = batching.start_batch
    monkeypatch.setattr(
        batching,
        "start_batch",
        lambda model, selection, block: learned[-1].extend(block.rows) or begin(model, selection, block),
    )

    def watched(told, selection):
        learned.append([])
        return descend(told, selection)

    plan = Plan(300, 2, batch_size=20, rounds=rounds)
    *_, last = train(None, averaging, plan, Progress(averaging.init(PARAMS)), watched)
    assert len(learned) == 2 * rounds and [line.rows for line in last.history] == [300, 300]
    for epoch in (learned[:rounds], learned[rounds:]):
        assert sorted(row for part in epoch for row in part) == list(range(300))
        assert max(map(len, epoch)) - min(map(len, epoch)) <= 1
    assert sorted(learned[0]) != sorted(learned[rounds])


def test_a_replica_steps_once_a_mini_batch_in_every_round(monkeypatch):
    sizes, begin = [], batching.start_batch
    monkeypatch.setattr(
        batching,
        "start_batch",
        lambda model, selection, block: sizes.append(len(block.rows)) or begin(model, selection, block),
    )
    part = RowSelection(batch=1, batches=2, total=300)
    after_a_round(cut([]), ParameterAveraging(FirstOrder(SGD(), Constant(), 0.1, 1, 2), batch_size=20), part)
    assert sum(sizes) == 150 and len(sizes) == 8 and max(sizes) == 19


IMAGES = dataclasses.replace(MODEL, layers=(Flatten(), *MODEL.layers), input_shape=(4, 4, 1))


def test_replicas_augment_their_rows():
    averaging, selection, rows = (
        ParameterAveraging(FirstOrder(SGD(), Constant(), 0.1), batch_size=20),
        RowSelection(2, 3),
        np.arange(300),
    )
    told = averaging.ask(averaging.init(IMAGES.init(3)))
    found = descend_on(cut([]), IMAGES, (Shift(1),))(told, selection)
    bent = augment((Shift(1),), IMAGES.prepare(INPUTS), rows, selection.seed, selection.epoch)
    beforehand = local_rdd(bent.reshape(300, 16), LABELS)
    expected = descend_on(beforehand, dataclasses.replace(IMAGES, encoder=SharedScale(1.0)))(told, selection)
    assert_same_bits(found.grads.params, expected.grads.params)
    assert not np.allclose(bent, IMAGES.prepare(INPUTS))


def test_the_penalty_in_a_round_s_cost_is_that_of_where_it_ends():
    averaging, penalty = (
        ParameterAveraging(FirstOrder(SGD(), Constant(), 0.1), batch_size=20),
        Penalty(l2=0.5),
    )
    state, dear = after_a_round(cut([]), averaging, penalty=penalty)
    _, unpriced = after_a_round(cut([]), averaging, penalty=Sloped(l2=0.5))
    assert dear.train.cost == pytest.approx(unpriced.train.cost + penalty.value(state.trial), rel=1e-5)
    assert penalty.value(state.trial) < 0.8 * penalty.value(PARAMS)


class Sloped(Penalty):
    """A penalty in the gradients alone."""

    def value(self, params):
        return 0.0


# ---- mini-batches ----


@given(st.lists(st.integers(0, 40), max_size=12), st.integers(1, 50), st.integers(1, 60))
def test_mini_batches_hold_every_row_once_and_are_even(sizes, size, buffer_rows):
    blocks, start = [], 0
    for count in sizes:
        rows = np.arange(start, start + count)
        blocks.append(Block(rows, np.zeros((count, 4), np.uint8), rows % 3, rows * 1.0))
        start += count
    batches = list(mini_batches(iter(blocks), size, RowSelection(1, 2), buffer=4 * buffer_rows))
    found = [int(row) for batch in batches for row in batch.rows]
    assert sorted(found) == list(range(start))
    assert all(np.array_equal(batch.labels, batch.rows % 3) for batch in batches)
    assert all(np.array_equal(batch.weights, batch.rows) for batch in batches)
    counts = [len(batch.rows) for batch in batches]
    assert all(count <= size for count in counts)
    if start >= size:
        assert min(counts) >= size // 2  # none is a mere handful


@pytest.mark.parametrize("buffer_rows", [40, 299, 300, 301, 1000])
def test_rows_that_are_kept_give_the_mini_batches_of_those_that_are_read(buffer_rows):
    empty = Block(np.arange(0), INPUTS[:0], LABELS[:0])
    blocks, buffer = [empty, *cut([]).collect(), empty], 16 * buffer_rows
    again = kept(iter(blocks), buffer)
    assert len(again) == (1 if buffer_rows > 300 else 10) and kept(iter([empty]), buffer) == []
    found, expected = (mini_batches(iter(rows), 20, RowSelection(1, 2), buffer) for rows in (again, blocks))
    for one, other in zip(found, expected, strict=True):
        assert all(map(np.array_equal, one[:3], other[:3]))


def test_mini_batches_keep_a_bounded_buffer():
    taken, handed = [0], 0

    def stream():
        for block in cut([]).collect():
            taken[0] += len(block.rows)
            yield block

    for batch in mini_batches(stream(), 10, RowSelection(), buffer=16 * 100):
        handed += len(batch.rows)
        assert taken[0] - handed <= 100 + 32 + 20


def test_mini_batches_come_in_a_fresh_order_each_epoch_and_the_same_again():
    def order(seed, epoch, start=0):
        blocks = [block for block in cut([]).collect() if block.rows[0] >= start]
        return [tuple(b.rows - start) for b in mini_batches(iter(blocks), 30, RowSelection(seed, epoch))]

    assert order(1, 1) == order(1, 1)
    assert len({tuple(order(seed, epoch)) for seed, epoch in ((1, 1), (1, 2), (2, 1))}) == 3
    flat = np.concatenate(order(1, 1))
    assert abs(np.corrcoef(flat, np.arange(300))[0, 1]) < 0.2


def test_each_filling_of_the_buffer_has_an_order_of_its_own():
    starts = [0, 75, 125, 175]  # 75 rows, and 25 of them left beside 50 new ones
    blocks = [
        Block(np.arange(start, end), INPUTS[start:end], LABELS[start:end]) for start, end in pairwise(starts)
    ]
    batches = [b.rows for b in mini_batches(iter(blocks), 25, RowSelection(1, 1), buffer=16 * 75)]
    fillings = [np.concatenate(batches[at : at + 2]) for at in (0, 2)]
    # Where in the buffer the rows were, of those that were not left from before.
    first, second = (np.maximum(rows - gone, 24) for rows, gone in zip(fillings, (0, 50), strict=True))
    assert np.sum(second > 24) > 20 and not np.array_equal(first, second)


def test_arrays_in_memory_are_shuffled_as_a_whole(monkeypatch):
    order, begin = [], batching.start_batch
    monkeypatch.setattr(
        batching,
        "start_batch",
        lambda model, selection, block: order.append(block.rows) or begin(model, selection, block),
    )
    monkeypatch.setattr(batches, "BUFFER", 16 * 50)
    after_a_round(cut([]), ParameterAveraging(FirstOrder(SGD(), Constant(), 0.1), batch_size=30))
    assert {int(rows[0]) // 100 for rows in order[:5]} == {
        0,
        1,
        2,
    }  # a buffer of 50 rows would begin with the first


def test_neighbouring_replicas_shuffle_apart():
    orders = []
    for start in (0, 150):
        rows = np.arange(start, start + 150)
        block = Block(rows, INPUTS[rows], LABELS[rows])
        batches = mini_batches(iter([block]), 150, RowSelection(1, 1))
        orders.append(np.concatenate([b.rows - start for b in batches]))
    assert not np.array_equal(*orders)


# ---- epochs ----


def epochs(optimizer, blocks=None, **plan):
    blocks = blocks or cut([120])
    plan = {"epochs": 4, "batch_size": 20, "rounds": 1, **plan}
    measured = []

    def measure(params, selection):
        measured.append(selection)
        return measure_on(blocks, MODEL)(params, selection)

    progresses = train(
        measure, optimizer, Plan(300, **plan), Progress(optimizer.init(PARAMS)), descend_on(blocks, MODEL)
    )
    *_, last = progresses
    return last, measured


def test_an_epoch_of_replicas_is_one_job_and_its_cost_the_running_mean():
    averaging = ParameterAveraging(FirstOrder(SGD(), Constant(), 0.1, 4, 1), batch_size=20)
    last, measured = epochs(averaging)
    assert measured == [] and len(last.history) == 4
    _, sums = after_a_round(cut([120]), averaging, RowSelection(0, 1))
    assert last.history[0].cost == pytest.approx(sums.train.cost)
    assert last.history[0].rows == 300 and last.history[0].accepted
    assert last.history[-1].accuracy > last.history[0].accuracy


def test_bold_driver_rejects_a_round_by_the_cost_of_a_clean_pass():
    averaging = ParameterAveraging(
        FirstOrder(Momentum(), BoldDriver(growth=4.0), 0.5, 12, 1), batch_size=20, outer_momentum=0.5
    )
    last, measured = epochs(averaging, epochs=12)
    assert [selection.fraction for selection in measured] == [0.0] * 13
    stood = [line for line in last.history if line.accepted]
    assert 0 < len(stood) < 12
    cost = measure_on(cut([120]), MODEL)(accepted_params(last.state), RowSelection(fraction=0.0)).train.cost
    assert cost == pytest.approx(stood[-1].cost)


def test_the_rate_of_a_round_is_the_schedules_in_its_middle():
    averaging = ParameterAveraging(FirstOrder(SGD(), Cosine(), 1.0, 4, 2), batch_size=20)
    last, _ = epochs(averaging, rounds=2)
    expected = [(1 + np.cos(np.pi * (epoch + 0.75) / 4)) / 2 for epoch in range(4)]
    assert [line.learning_rate for line in last.history] == pytest.approx(expected)


def test_training_with_replicas_gives_the_same_bits_again_and_ignores_how_blocks_are_held():
    averaging = ParameterAveraging(FirstOrder(Adam(), Constant(), 0.01, 4, 2), batch_size=20)
    first, second = (epochs(averaging, rounds=2)[0].state.trial for _ in range(2))
    assert_same_bits(first, second)


def test_phases_of_an_epoch_add_up_to_its_seconds():
    for optimizer, plan in (
        (ParameterAveraging(FirstOrder(SGD(), Constant(), 0.1), batch_size=20), {}),
        (FirstOrder(SGD(), Constant(), 0.1), {"rounds": None}),
        (FirstOrder(SGD(), BoldDriver(), 0.1), {"rounds": None, "batch_size": None}),
    ):
        last, _ = epochs(optimizer, **plan)
        for line in last.history:
            parts = (line.schedule, line.read, line.compute, line.sum, line.update)
            assert min(parts) >= 0 and sum(parts) == pytest.approx(line.seconds, rel=1e-6)
            assert line.compute > 0 and line.read > 0 and line.update > 0


# ---- rounds of several epochs ----


def long_rounds(rule, epochs, per_round, schedule=None, **options):
    replica = FirstOrder(rule, schedule or Constant(), 0.1, epochs)
    return ParameterAveraging(replica, batch_size=20, epochs_per_round=per_round, **options)


def test_a_replica_goes_through_its_epochs_by_itself_at_the_rate_of_each():
    averaging = long_rounds(Momentum(0.8), 9, 3, Cosine())
    begun = averaging.init(PARAMS)._replace(steps=3)
    sums = descend_on(cut([]), MODEL)(averaging.ask(begun), RowSelection(5, 4))
    by_hand = FirstOrder(Momentum(0.8), Constant(), 1.0)
    expected, measures = by_hand.init(PARAMS).copy_for_update(), []
    for epoch in (4, 5, 6):
        rate = 0.1 * (1 + np.cos(np.pi * (epoch - 0.5) / 9)) / 2
        step_at, total = dataclasses.replace(by_hand, learning_rate=rate), Measures()
        for batch in mini_batches(iter(cut([]).collect()), 20, RowSelection(5, epoch)):
            one = step(LocalRDD([[batch]]), MODEL, LocalBroadcast(expected.trial), RowSelection(5, epoch))
            expected, total = step_at.step(expected, one.mean_grads_inplace()), total + one.train
        measures.append(total)
    change = tree.map_arrays(lambda new, old: (new - old) * np.float32(300), expected.trial, PARAMS)
    assert_same_bits(sums.grads.params, change)
    assert [part.train for part in (*sums.earlier, sums)] == measures
    assert [part.sampled for part in (*sums.earlier, sums)] == [300] * 3
    state = averaging.step(begun.copy_for_update(), sums.mean_grads_inplace())
    assert state.steps == 6 and state.learning_rate == pytest.approx(rate)
    assert_close(state.trial, expected.trial)
    assert_close(state.slots.inner, expected.slots)


@pytest.mark.parametrize("rule", [SGD(), Adam()], ids=["sgd", "adam"])
def test_a_round_of_a_single_replica_is_its_epochs_one_by_one_but_for_rounding(rule):
    ends = [
        epochs(long_rounds(rule, 5, per_round), cut([]), epochs=5, epochs_per_round=per_round)[0]
        for per_round in (1, 2, 5)
    ]
    for end in ends[1:]:
        assert_close(end.state.trial, ends[0].state.trial, 1e-5)
        assert_close(end.state.slots.inner, ends[0].state.slots.inner, 1e-5)
        for line, alone in zip(end.history, ends[0].history, strict=True):
            assert line.cost == pytest.approx(alone.cost, rel=1e-4)
            assert (line.epoch, *line[2:6]) == (alone.epoch, *alone[2:6])


def test_replicas_meet_at_the_end_of_a_round_alone():
    averaging = long_rounds(Momentum(), 4, 4)
    state, _ = after_a_round(cut([100]), averaging)
    apart = [after_a_round(LocalRDD([part]), averaging)[0].trial for part in cut([100]).partitions]
    mean = tree.map_arrays(lambda one, other: (one + 2 * other) / 3, *apart)
    assert_close(state.trial, mean, 1e-5)
    assert not np.allclose(*(params[0]["W"] for params in apart), atol=1e-2)


def test_a_round_has_a_job_a_line_for_each_epoch_and_an_end_that_is_measured():
    blocks, jobs = cut([120]).flatMap(HoldOut(0, 0.3, 300).split).persist(), []
    learned, averaging = HoldOut(0, 0.3, 300).train_rows, long_rounds(SGD(), 5, 2, Cosine())
    run = descend_on(blocks, MODEL)

    def watched(request, selection):
        jobs.append((selection.epoch, len(request.rates)))
        return run(request, selection)

    plan = Plan(learned, 5, batch_size=20, validates=True, keeps_best=True, rounds=1, epochs_per_round=2)
    progresses = list(
        train(measure_on(blocks, MODEL), averaging, plan, Progress(averaging.init(PARAMS)), watched)
    )
    history = progresses[-1].history
    assert jobs == [(1, 2), (3, 2), (5, 1)] and [len(each.history) for each in progresses] == [2, 4, 5]
    assert [line.epoch for line in history] == [1, 2, 3, 4, 5] and plan.jobs_in_all(averaging) == 6
    assert [line.rows for line in history] == [learned] * 5 and all(line.accepted for line in history)
    expected = [0.1 * (1 + np.cos(np.pi * (epoch + 0.5) / 5)) / 2 for epoch in range(5)]
    assert [line.learning_rate for line in history] == pytest.approx(expected)
    assert [line.val_cost is None for line in history] == [True, False, True, False, False]
    assert history[0].cost > history[-1].cost and progresses[0].best.epoch == 2
    for line in history:
        parts = (line.schedule, line.read, line.compute, line.sum, line.update)
        assert min(parts) >= 0 and sum(parts) == pytest.approx(line.seconds, rel=1e-6)
        assert line.compute > 0 and (line.update > 0) == (line.epoch in (2, 4, 5))


def test_a_cost_that_is_not_finite_in_an_earlier_epoch_of_a_round_ends_the_run():
    averaging, run = long_rounds(SGD(), 4, 3), descend_on(cut([]), MODEL)

    def overflowing(request, selection):
        sums = run(request, selection)
        first, second = sums.earlier
        return sums._replace(earlier=(first, second._replace(train=second.train._replace(loss=np.inf))))

    plan = Plan(300, 4, batch_size=20, rounds=1, epochs_per_round=3)
    with pytest.raises(DivergenceError, match="the cost is inf in epoch 2 at learning rate"):
        list(train(None, averaging, plan, Progress(averaging.init(PARAMS)), overflowing))


def test_the_random_numbers_of_an_epoch_are_those_that_it_has_in_a_round_of_its_own(monkeypatch):
    drawn, begin = [], batching.start_batch

    def watched(model, selection, block):
        batch = begin(model, selection, block)
        drawn.append((batch.key, tuple(batch.rows)))
        return batch

    monkeypatch.setattr(batching, "start_batch", watched)
    found = []
    for per_round in (1, 4):
        epochs(long_rounds(SGD(), 4, per_round), epochs_per_round=per_round)
        found.append(sorted(drawn))
        drawn.clear()
    assert found[0] == found[1] and len({key.numbers[2] for key, _ in found[0]}) == 4


@pytest.mark.spark
@pytest.mark.parametrize(("rounds", "per_round"), [(1, 1), (3, 1), (1, 2)])
def test_replicas_on_spark_give_the_bits_of_replicas_without(spark, rounds, per_round):
    here = cut([120, 120])
    rdd = spark.parallelize(here.partitions, 3).flatMap(list)
    averaging = ParameterAveraging(
        FirstOrder(Momentum(), Constant(), 0.1, 3, rounds), 20, outer_momentum=0.3, epochs_per_round=per_round
    )
    plan = Plan(300, 3, batch_size=20, rounds=rounds, epochs_per_round=per_round)
    ends = []
    for descend in (descend_on(backend.SparkBackend(rdd), MODEL), descend_on(here, MODEL)):
        *_, last = train(None, averaging, plan, Progress(averaging.init(PARAMS)), descend)
        ends.append(last)
    assert_same_bits(ends[0].state.trial, ends[1].state.trial)
    assert [line[:6] for line in ends[0].history] == [line[:6] for line in ends[1].history]
