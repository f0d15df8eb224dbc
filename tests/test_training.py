"""The epoch loop: what an epoch line means, and what the model is at the end."""

from itertools import pairwise

import numpy as np
import pytest
from conftest import blobs

from nn import chain, tree
from nn.errors import Diverged
from nn.local import Held, blocks_of, measure_on
from nn.model import multilayer_perceptron
from nn.optimizers import SGD, Descent, Momentum
from nn.records import Draw, Progress
from nn.schedules import BoldDriver, Constant
from nn.training import Plan, train

INPUTS, LABELS = blobs(300)
BLOCKS = blocks_of(INPUTS, LABELS, block_rows=64)
MODEL = multilayer_perceptron(16, 3, (8,), "sigmoid", "mse", scale=255.0)


def run(descent, **plan):
    plan = Plan(300, **plan)
    measured = []
    measure = measure_on(BLOCKS, MODEL)

    def watched(params, draw):
        measured.append((params, draw))
        return measure(params, draw)

    progress = Progress(descent.init(MODEL.init(0)))
    for progress in train(watched, descent, plan, progress):
        pass
    return progress, measured


def cost_of(params):
    return chain.costs(BLOCKS, MODEL, Held(params), Draw()).train


def test_bold_driver_epoch_is_one_job_and_one_trial():
    descent = Descent(SGD(), BoldDriver(0.5))
    progress, measured = run(descent, epochs=25, sample=0.7)
    history = progress.history
    assert [line.epoch for line in history] == list(range(1, 26)) and len(measured) == 25
    for line, (params, _) in zip(history, measured, strict=True):
        assert line.cost == pytest.approx(cost_of(params).cost)
        assert line.accuracy == pytest.approx(cost_of(params).accuracy)
        assert 0.5 * 300 < line.rows < 0.9 * 300
    assert np.array_equal(measured[0][0][0]["W"], MODEL.init(0)[0]["W"])


def test_bold_driver_undoes_steps_that_raise_the_cost_and_ends_at_the_last_that_stood():
    descent = Descent(SGD(), BoldDriver(0.5, growth=2.0))
    progress, _ = run(descent, epochs=60, sample=0.7)
    history = progress.history
    best = np.inf
    undone = 0
    for line, after in pairwise(history):
        assert line.accepted == (line.cost <= best)
        best = min(best, line.cost)
        undone += not line.accepted
        expected = (
            line.learning_rate if line.epoch == 1 else line.learning_rate * (2.0 if line.accepted else 0.5)
        )
        assert after.learning_rate == pytest.approx(expected)
    assert undone > 3
    standing = [line.cost for line in history if line.accepted][-1]
    assert cost_of(descent.result(progress.state)).cost == pytest.approx(standing)


def test_batches_step_once_for_each_batch_and_report_the_running_mean():
    descent = Descent(SGD(), Constant(0.5))
    progress, measured = run(descent, epochs=2, batch_size=128)
    assert [draw.batch for _, draw in measured] == [0, 1, 2, 0, 1, 2]
    assert [line.rows for line in progress.history] == [300, 300]
    tallies = [measure_on(BLOCKS, MODEL)(params, draw).train for params, draw in measured[:3]]
    assert progress.history[0].cost == pytest.approx(sum(t.loss for t in tallies) / 300)
    assert not np.array_equal(measured[-1][0][0]["W"], descent.result(progress.state)[0]["W"])


def test_batches_under_bold_driver_are_judged_by_a_closing_pass():
    descent = Descent(Momentum(0.9), BoldDriver(4.0, growth=3.0))
    progress, measured = run(descent, epochs=12, batch_size=100)
    closing = [(params, draw) for params, draw in measured if draw.fraction == 0]
    assert len(closing) == 13 and len(measured) == 12 * 4 + 1  # the start values are measured once
    standing_cost, standing = cost_of(MODEL.init(0)).cost, MODEL.init(0)
    for line, (params, _) in zip(progress.history, closing[1:], strict=True):
        assert line.cost == pytest.approx(cost_of(params).cost)
        assert line.accepted == (line.cost <= standing_cost)
        if line.accepted:
            standing_cost, standing = line.cost, params
    assert {line.accepted for line in progress.history} == {True, False}
    assert np.array_equal(descent.result(progress.state)[0]["W"], standing[0]["W"])


def test_an_undone_epoch_restores_parameters_and_velocity():
    descent = Descent(Momentum(0.9), BoldDriver(0.5))
    state = descent.init(MODEL.init(0))
    state, _ = descent.judge(state, 1.0)
    start = state
    for _ in range(3):
        state = descent.step(state, tree.map_arrays(np.ones_like, state["trial"]))
    state, accepted = descent.judge(state, 2.0)
    assert not accepted
    for a, b in zip(tree.arrays(state["trial"]), tree.arrays(start["trial"]), strict=True):
        assert np.array_equal(a, b)
    for a, b in zip(tree.arrays(state["slots"]), tree.arrays(start["slots"]), strict=True):
        assert np.array_equal(a, b)


def test_constant_with_one_step_an_epoch_takes_every_step():
    descent = Descent(SGD(), Constant(0.1))
    progress, measured = run(descent, epochs=3)
    params = MODEL.init(0)
    for _ in range(3):
        grads = chain.gradients(BLOCKS, MODEL, Held(params), Draw()).mean_grads()
        params = tree.map_arrays(lambda w, g: w - np.float32(0.1) * g, params, grads)
    for a, b in zip(tree.arrays(descent.result(progress.state)), tree.arrays(params), strict=True):
        assert np.allclose(a, b, atol=1e-6)
    assert all(line.accepted and line.rows == 300 for line in progress.history)


@pytest.mark.parametrize("plan", [{"sample": 0.7}, {"batch_size": 64}], ids=["sample", "batches"])
def test_training_is_a_function_of_the_seed(plan):
    ends = []
    for seed in (1, 1, 2):
        descent = Descent(Momentum(), BoldDriver(0.5))
        progress, _ = run(descent, epochs=4, seed=seed, **plan)
        ends.append(descent.result(progress.state)[0]["W"])
    assert np.array_equal(ends[0], ends[1]) and not np.array_equal(ends[0], ends[2])


def test_training_goes_on_from_a_progress():
    descent = Descent(Momentum(), BoldDriver(0.5))
    whole, _ = run(descent, epochs=10, sample=0.7)
    half, _ = run(descent, epochs=5, sample=0.7)
    measure = measure_on(BLOCKS, MODEL)
    *_, resumed = train(measure, descent, Plan(300, 10, 0.7), half)
    assert [line[:-1] for line in resumed.history] == [line[:-1] for line in whole.history]
    assert np.array_equal(descent.result(resumed.state)[0]["W"], descent.result(whole.state)[0]["W"])


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_divergence_is_told_with_epoch_rate_and_cure():
    model = multilayer_perceptron(16, 3, (8, 8), "relu", "cross-entropy")
    descent = Descent(SGD(), Constant(1e30))
    epochs = train(measure_on(BLOCKS, model), descent, Plan(300, 9), Progress(descent.init(model.init(0))))
    with pytest.raises(
        Diverged, match=r"(the cost is nan in|the weights are .* after) epoch \d at learning rate 1e\+30; try"
    ):
        for _ in epochs:
            pass


def test_weights_that_are_no_numbers_end_a_run_at_once():
    model = multilayer_perceptron(16, 3, (8, 8), "relu", "cross-entropy")
    descent = Descent(SGD(), Constant(1e39))
    epochs = train(measure_on(BLOCKS, model), descent, Plan(300, 1), Progress(descent.init(model.init(0))))
    with pytest.raises(Diverged, match="the weights are no finite numbers after epoch 1 at learning rate"):
        list(epochs)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
        ({"epochs": 1, "sample": 0.0}, r"sample must be in \(0, 1\], got 0"),
        ({"epochs": 1, "batch_size": 0}, "batch size must be at least 1, got 0"),
    ],
)
def test_plan_refuses_what_cannot_be_run(wrong, message):
    with pytest.raises(ValueError, match=message):
        Plan(10, **wrong)


def test_learning_reaches_what_the_classes_allow():
    descent = Descent(SGD(), BoldDriver(0.5))
    progress, _ = run(descent, epochs=80, sample=0.7)
    assert progress.history[-1].accuracy > 0.95
