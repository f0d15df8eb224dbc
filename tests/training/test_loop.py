"""The epoch loop: what an epoch line means, and what the model is at the end."""

from itertools import pairwise

import numpy as np
import pytest

from nn.core import spec, tree
from nn.core.errors import DivergenceError
from nn.data.batches import RowSelection
from nn.data.encoding import SharedScale
from nn.data.hold_out import HoldOut
from nn.data.local_rdd import LocalBroadcast, local_rdd
from nn.data.split import Split
from nn.layers import Dense, Dropout, Tanh
from nn.models.builder import build_network
from nn.models.losses import LOSSES
from nn.optim.first_order import FirstOrder
from nn.optim.lbfgs import LBFGS
from nn.optim.optimizer import accepted_params
from nn.optim.regularization import Penalty
from nn.optim.rules import SGD, Momentum
from nn.optim.schedules import BoldDriver, Constant, Plateau
from nn.training.loop import reason_to_end
from nn.training.plan import Plan
from nn.training.records import Best, Epoch, Measures, Progress, Sums
from tests.support.data import blobs
from tests.support.networks import multilayer_perceptron
from tests.support.training import kept, measure_on, step, train

INPUTS, LABELS = blobs(300)
BLOCKS = local_rdd(INPUTS, LABELS, block_rows=64)
MODEL = multilayer_perceptron(16, 3, (8,), "sigmoid", "mse", scale=255.0)
STATE = FirstOrder(SGD(), Constant(), 0.1).init(MODEL.init(0))


def run(descent, **plan):
    plan = Plan(300, **plan)
    measured = []
    measure = measure_on(BLOCKS, MODEL)

    def watched(params, selection):
        measured.append((tree.copy(params), selection))  # the loop steps in place
        return measure(params, selection)

    progress = Progress(descent.init(MODEL.init(0)))
    for progress in train(watched, descent, plan, progress):
        pass
    return progress, measured


def cost_of(params):
    return step(BLOCKS, MODEL, LocalBroadcast(params), RowSelection(fraction=0.0)).train


def test_bold_driver_epoch_is_one_job_and_one_trial():
    descent = FirstOrder(SGD(), BoldDriver(), 0.5)
    progress, measured = run(descent, epochs=25, sample=0.7)
    history = progress.history
    assert [line.epoch for line in history] == list(range(1, 26)) and len(measured) == 25
    for line, (params, _) in zip(history, measured, strict=True):
        assert line.cost == pytest.approx(cost_of(params).cost)
        assert line.accuracy == pytest.approx(cost_of(params).accuracy)
        assert 0.5 * 300 < line.rows < 0.9 * 300
    assert np.array_equal(measured[0][0][0]["W"], MODEL.init(0)[0]["W"])


def test_bold_driver_undoes_steps_that_raise_the_cost_and_ends_at_the_last_that_stood():
    descent = FirstOrder(SGD(), BoldDriver(growth=2.0), 0.5)
    progress, _ = run(descent, epochs=60, sample=0.7)
    history = progress.history
    best = np.inf
    rejected = 0
    for line, after in pairwise(history):
        assert line.accepted == (line.cost <= best)
        best = min(best, line.cost)
        rejected += not line.accepted
        expected = (
            line.learning_rate if line.epoch == 1 else line.learning_rate * (2.0 if line.accepted else 0.5)
        )
        assert after.learning_rate == pytest.approx(expected)
    assert rejected > 3
    accepted = [line.cost for line in history if line.accepted][-1]
    assert cost_of(accepted_params(progress.state)).cost == pytest.approx(accepted)


def test_batches_step_once_for_each_batch_and_report_the_running_mean():
    descent = FirstOrder(SGD(), Constant(), 0.5)
    progress, measured = run(descent, epochs=2, batch_size=128)
    assert [selection.batch for _, selection in measured] == [0, 1, 2, 0, 1, 2]
    assert [line.rows for line in progress.history] == [300, 300]
    partial_sums = [measure_on(BLOCKS, MODEL)(params, selection).train for params, selection in measured[:3]]
    assert progress.history[0].cost == pytest.approx(sum(t.loss for t in partial_sums) / 300)
    assert not np.array_equal(measured[-1][0][0]["W"], accepted_params(progress.state)[0]["W"])


def test_a_closing_pass_accepts_or_rejects_the_batches_under_bold_driver():
    descent = FirstOrder(Momentum(0.9), BoldDriver(growth=3.0), 4.0)
    progress, measured = run(descent, epochs=12, batch_size=100)
    closing = [(params, selection) for params, selection in measured if selection.fraction == 0]
    assert len(closing) == 13 and len(measured) == 12 * 4 + 1  # the initial weights are measured once
    accepted_cost, accepted = cost_of(MODEL.init(0)).cost, MODEL.init(0)
    for line, (params, _) in zip(progress.history, closing[1:], strict=True):
        assert line.cost == pytest.approx(cost_of(params).cost)
        assert line.accepted == (line.cost <= accepted_cost)
        if line.accepted:
            accepted_cost, accepted = line.cost, params
    assert {line.accepted for line in progress.history} == {True, False}
    assert np.array_equal(accepted_params(progress.state)[0]["W"], accepted[0]["W"])


def test_a_rejected_epoch_restores_parameters_and_velocity():
    descent = FirstOrder(Momentum(0.9), BoldDriver(), 0.5)
    state = descent.init(MODEL.init(0))
    state, _ = descent.accept_or_reject(state, 1.0)
    start = state
    state = state.copy_for_update()
    for _ in range(3):
        state = descent.step(state, tree.map_arrays(np.ones_like, state.trial))
    state, accepted = descent.accept_or_reject(state, 2.0)
    assert not accepted
    for a, b in zip(tree.arrays(state.trial), tree.arrays(start.trial), strict=True):
        assert np.array_equal(a, b)
    for a, b in zip(tree.arrays(state.slots), tree.arrays(start.slots), strict=True):
        assert np.array_equal(a, b)


def test_constant_with_one_step_an_epoch_takes_every_step():
    descent = FirstOrder(SGD(), Constant(), 0.1)
    progress, measured = run(descent, epochs=3)
    params = MODEL.init(0)
    for _ in range(3):
        grads = step(BLOCKS, MODEL, LocalBroadcast(params), RowSelection()).mean_grads_inplace()
        params = tree.map_arrays(lambda w, g: w - np.float32(0.1) * g, params, grads)
    for a, b in zip(tree.arrays(accepted_params(progress.state)), tree.arrays(params), strict=True):
        assert np.allclose(a, b, atol=1e-6)
    assert all(line.accepted and line.rows == 300 for line in progress.history)


@pytest.mark.parametrize("plan", [{"sample": 0.7}, {"batch_size": 64}], ids=["sample", "batches"])
def test_training_is_a_function_of_the_seed(plan):
    ends = []
    for seed in (1, 1, 2):
        descent = FirstOrder(Momentum(), BoldDriver(), 0.5)
        progress, _ = run(descent, epochs=4, seed=seed, **plan)
        ends.append(accepted_params(progress.state)[0]["W"])
    assert np.array_equal(ends[0], ends[1]) and not np.array_equal(ends[0], ends[2])


def test_training_goes_on_from_a_progress():
    descent = FirstOrder(Momentum(), BoldDriver(), 0.5)
    whole, _ = run(descent, epochs=10, sample=0.7)
    half, _ = run(descent, epochs=5, sample=0.7)
    measure = measure_on(BLOCKS, MODEL)
    *_, resumed = train(measure, descent, Plan(300, 10, 0.7), half)
    assert [line[:6] for line in resumed.history] == [line[:6] for line in whole.history]
    assert np.array_equal(accepted_params(resumed.state)[0]["W"], accepted_params(whole.state)[0]["W"])


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_divergence_is_told_with_epoch_rate_and_cure():
    model = multilayer_perceptron(16, 3, (8, 8), "relu", "cross-entropy")
    descent = FirstOrder(SGD(), Constant(), 1e30)
    epochs = train(measure_on(BLOCKS, model), descent, Plan(300, 9), Progress(descent.init(model.init(0))))
    with pytest.raises(
        DivergenceError,
        match=r"(the cost is nan in|the weights are .* after) epoch \d at learning rate 1e\+30; try",
    ):
        for _ in epochs:
            pass


def test_weights_that_are_no_numbers_end_a_run_at_once():
    model = multilayer_perceptron(16, 3, (8, 8), "relu", "cross-entropy")
    descent = FirstOrder(SGD(), Constant(), 1e39)
    epochs = train(measure_on(BLOCKS, model), descent, Plan(300, 1), Progress(descent.init(model.init(0))))
    with pytest.raises(DivergenceError, match="the weights are not finite after epoch 1 at learning rate"):
        list(epochs)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"epochs": 1, "sample": 0.0}, r"sample must be a number in \(0, 1\], got 0"),
        ({"epochs": 1, "batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
    ],
)
def test_plan_refuses_what_cannot_be_run(wrong, message):
    with pytest.raises(ValueError, match=message):
        Plan(10, **wrong)


def test_learning_reaches_what_the_classes_allow():
    descent = FirstOrder(SGD(), BoldDriver(), 0.5)
    progress, _ = run(descent, epochs=80, sample=0.7)
    assert progress.history[-1].accuracy > 0.95


# ---- validation, noise, early stopping ----

SPLIT = Split(300, HoldOut(0, 0.25, 300))
HELD = SPLIT.apply(BLOCKS)
DROPPING = build_network(
    (Dense(8), Tanh(), Dropout(0.4)),
    (16,),
    3,
    spec.parse("cross-entropy", LOSSES, "loss"),
    SharedScale(255.0),
)


def validated(descent, model=MODEL, **plan):
    plan = Plan(SPLIT.train_rows, validates=True, **plan)
    measured = []

    def watched(params, selection):
        measured.append((tree.copy(params), selection))
        return measure_on(HELD, model)(params, selection)

    epochs = list(train(watched, descent, plan, Progress(descent.init(model.init(0)))))
    return epochs, measured


def held_cost(params, model=MODEL):
    return step(HELD, model, LocalBroadcast(params), RowSelection(fraction=0.0))


def test_validation_is_measured_in_the_job_of_a_full_step_at_the_same_point():
    epochs, measured = validated(FirstOrder(SGD(), BoldDriver(), 0.5), epochs=5, sample=0.7)
    assert len(measured) == 5
    for line, (params, _) in zip(epochs[-1].history, measured, strict=True):
        clean = held_cost(params)
        assert line.val_cost == pytest.approx(clean.validation.cost)
        assert line.val_accuracy == clean.validation.accuracy
        assert line.cost == pytest.approx(clean.train.cost) and clean.train.rows == SPLIT.train_rows


def test_validation_of_batches_is_one_small_job_at_the_epochs_end():
    descent = FirstOrder(SGD(), Constant(), 0.5)
    epochs, measured = validated(descent, epochs=2, batch_size=100)
    only = [(params, selection) for params, selection in measured if selection.validation_only]
    assert len(only) == 2 and len(measured) == 2 * 3 + 2
    for line, (params, _) in zip(epochs[-1].history, only, strict=True):
        assert line.val_cost == pytest.approx(held_cost(params).validation.cost)
        assert line.rows == SPLIT.train_rows
    assert np.array_equal(only[-1][0][0]["W"], accepted_params(epochs[-1].state)[0]["W"])


def test_validation_of_batches_under_bold_driver_is_part_of_the_closing_pass():
    epochs, measured = validated(FirstOrder(SGD(), BoldDriver(), 0.5), epochs=2, batch_size=100)
    assert not any(selection.validation_only for _, selection in measured)
    closing = [params for params, selection in measured if selection.fraction == 0][1:]
    for line, params in zip(epochs[-1].history, closing, strict=True):
        assert line.val_cost == pytest.approx(held_cost(params).validation.cost)


def test_a_clean_pass_decides_where_dropout_blurs_the_cost():
    descent = FirstOrder(SGD(), BoldDriver(growth=3.0), 0.5)
    epochs, measured = validated(descent, DROPPING, epochs=30, sample=0.7, noisy=True)
    history, clean = epochs[-1].history, [params for params, selection in measured if selection.fraction == 0]
    assert len(clean) == 30
    assert sum(selection.fraction > 0 for _, selection in measured) == sum(line.accepted for line in history)
    best = np.inf
    for line, params in zip(history, clean, strict=True):
        assert line.cost == pytest.approx(held_cost(params, DROPPING).train.cost)
        assert line.accepted == (line.cost <= best)
        best = min(best, line.cost)
    assert {line.accepted for line in history} == {True, False}


def test_without_a_judge_a_noisy_epoch_is_one_job():
    _, measured = validated(FirstOrder(SGD(), Constant(), 0.5), DROPPING, epochs=4, sample=0.7, noisy=True)
    assert len(measured) == 4


@pytest.mark.parametrize("plan", [{"sample": 1.0}, {"batch_size": 50}], ids=["full", "batches"])
def test_the_best_point_is_kept_with_the_weights_it_was_measured_at(plan):
    model = multilayer_perceptron(16, 3, (32,), "tanh", "cross-entropy", scale=255.0)
    chance = np.where(np.arange(300) % 3 == 0, np.random.default_rng(0).integers(0, 3, 300), LABELS)
    held = SPLIT.apply(local_rdd(INPUTS, chance))  # a third of the labels are chance: it will overfit
    descent = FirstOrder(Momentum(), Constant(), 0.5)
    plan = Plan(SPLIT.train_rows, 60, validates=True, keeps_best=True, **plan)
    *_, last = train(measure_on(held, model), descent, plan, Progress(descent.init(model.init(0))))
    best = min(last.history, key=lambda line: line.val_cost)
    assert last.best.epoch == best.epoch < 55
    clean = step(held, model, LocalBroadcast(kept(descent, last)), RowSelection(fraction=0.0))
    assert clean.validation.cost == pytest.approx(best.val_cost)


def progress_of(costs):
    """Progresses whose validation costs are given, with the best point kept."""
    history, best = (), None
    for epoch, cost in enumerate(costs, 1):
        history = (*history, Epoch(epoch, 1.0, 0.5, 0.1, True, 1, 0.1, cost, 0.5))
        if best is None or cost < best.cost:
            best = Best(epoch, cost, None)
        yield Progress(STATE, history, best)


@pytest.mark.parametrize(("patience", "last"), [(3, 7), (4, 8), (None, 8)])
def test_training_ends_its_patience_after_the_best_epoch(patience, last):
    progresses = [Progress(STATE), *progress_of([5, 4, 4.5, 3, 3.5, 3.2, 3.1, 2])]
    reasons = [reason_to_end(progress, Plan(300, 8), patience) for progress in progresses]
    assert reasons[:last] == [None] * last
    assert reasons[last] == ("" if last == 8 else "3 epochs did not lower the validation cost")


def test_divergence_in_the_epoch_in_which_patience_ends_is_told():
    def measure(params, selection):
        epoch = selection.epoch
        grads = [{key: np.zeros_like(each) for key, each in layer.items()} for layer in params]
        cost = np.nan if epoch == 3 else 1.0
        return Sums(Measures(1, 1.0, cost, 0), Measures(1, 1.0, float(epoch), 0), 1, 1.0, grads)

    descent = FirstOrder(SGD(), Constant(), 0.1)
    plan = Plan(300, 9, validates=True, keeps_best=True)
    epochs = train(measure, descent, plan, Progress(descent.init(MODEL.init(0))), patience=2)
    seen = []
    with pytest.raises(DivergenceError, match="the cost is nan in epoch 3 at learning rate 0.1"):
        seen.extend(epochs)
    assert len(seen) == 3


def test_plateau_watches_the_validation_cost():
    descent = FirstOrder(SGD(), Plateau(1, drop=0.5, lowest=0.0), 20.0)
    epochs, _ = validated(descent, epochs=30, batch_size=50)
    lines = epochs[-1].history
    best, scale = np.inf, 1.0
    for line in lines:
        assert line.learning_rate == pytest.approx(20.0 * scale)
        scale *= 1.0 if line.val_cost < best else 0.5
        best = min(best, line.val_cost)
    assert scale < 1


def test_lbfgs_trains_in_the_same_loop_and_stops_when_nothing_is_left_to_gain():
    inputs, labels = blobs(80)
    model = multilayer_perceptron(16, 3, (4,), "tanh", "cross-entropy", scale=255.0)
    optimizer = LBFGS()
    measure = measure_on(local_rdd(inputs, labels), model, penalty=Penalty(l2=0.1))
    start = Progress(optimizer.init(model.init(0)))
    *_, progress = train(measure, optimizer, Plan(80, 500), start)
    assert len(progress.history) < 400 and progress.state.stop_reason
    final = measure(kept(optimizer, progress), RowSelection())
    assert all(np.abs(g).max() < 1e-3 for g in tree.arrays(final.mean_grads_inplace()))
    accepted = [line.cost for line in progress.history if line.accepted]
    assert accepted[-1] == pytest.approx(final.train.cost) and accepted[-1] == min(accepted)


def test_a_validation_cost_that_is_no_number_is_never_the_best():
    descent = FirstOrder(SGD(), Constant(), 0.1)
    weights = np.where(SPLIT.hold_out.mask(np.arange(300)), 0.0, 1.0)
    blocks = SPLIT.apply(local_rdd(INPUTS, LABELS, weights))
    plan = Plan(SPLIT.train_rows, 3, validates=True, keeps_best=True)
    *_, last = train(measure_on(blocks, MODEL), descent, plan, Progress(descent.init(MODEL.init(0))))
    assert last.best is None and np.isnan(last.history[-1].val_cost)


def test_what_to_try_after_divergence_suits_the_optimizer():
    where, options = FirstOrder(SGD(), Constant()).hint(0.5)
    assert (where, options) == (
        " at learning rate 0.5",
        {"learning_rate": 0.05, "schedule": "bold-driver"},
    )
    assert FirstOrder(SGD(), BoldDriver()).hint(0.3).options == {"learning_rate": 0.03}
    assert LBFGS().hint(0.0) == ("; try initial weights that are smaller", {})


def test_what_to_try_is_an_argument_to_the_library_and_an_option_to_the_command_line():
    error = DivergenceError("the cost is inf", learning_rate=0.05, schedule="bold-driver")
    assert str(error) == 'the cost is inf; try learning_rate=0.05 or schedule="bold-driver"'
    assert error.on_command_line() == "the cost is inf; try --learning-rate 0.05 or --schedule bold-driver"
    assert str(DivergenceError("the cost is inf")) == DivergenceError("the cost is inf").on_command_line()


def test_a_trial_that_was_rejected_is_never_the_best():
    answers = iter([(5.0, 5.0), (6.0, 1.0), (4.0, 4.0)])

    def measure(params, selection):
        train_cost, val_cost = next(answers)
        return Sums(
            Measures(1, 1.0, train_cost, 0), Measures(1, 1.0, val_cost, 0), 1, 1.0, [{"b": np.ones(1)}]
        )

    descent = FirstOrder(SGD(), BoldDriver(), 0.1)
    plan = Plan(1, 3, validates=True, keeps_best=True)
    *_, last = train(measure, descent, plan, Progress(descent.init([{"b": np.zeros(1)}])))
    assert [line.accepted for line in last.history] == [True, False, True] and last.best.epoch == 3


def test_gradients_beyond_the_finite_numbers_end_a_run_while_cost_and_weights_still_stand():
    def measure(params, selection):
        return Sums(Measures(1, 1.0, 2.0, 0), Measures(), 1, 1.0, [{"b": np.full(1, np.inf)}])

    descent = FirstOrder(SGD(), BoldDriver(), 0.1)
    epochs = train(measure, descent, Plan(1, 3), Progress(descent.init([{"b": np.zeros(1)}])))
    assert next(epochs).history[-1].cost == 2.0  # what the histories then show
    with pytest.raises(DivergenceError, match="the gradients are not finite in epoch 1"):
        next(epochs)


def test_a_mini_batch_without_weight_takes_no_step():
    params = MODEL.init(0)
    grads = tree.map_arrays(np.ones_like, params)
    sums = [
        Sums(Measures(5, weight, weight, 5), weight=weight, grads=tree.copy(grads)) for weight in (0.0, 5.0)
    ]
    optimizer = FirstOrder(SGD(), Constant(), steps=2)
    plan = Plan(10, epochs=1, batch_size=5)
    *_, last = train(lambda _, part: sums[part.batch], optimizer, plan, Progress(optimizer.init(params)))
    assert last.state.steps == 1
