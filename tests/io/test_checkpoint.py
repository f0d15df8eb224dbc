"""Checkpoints: what is read is, bit for bit, what was written, and a run cut anywhere ends as it would have."""

import io
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.core import npz, tree
from nn.data.local_rdd import local_rdd
from nn.io import checkpoint
from nn.io.checkpoint import Checkpoint
from nn.optim.regularization import Penalty
from nn.training.assembly import network_of, optimizer_of, plan_of, split_of
from nn.training.backend import Facts
from nn.training.local import LocalBackend
from nn.training.recipe import Recipe
from nn.training.records import Best, Epoch, Progress
from nn.training.run import TrainingRun
from tests.support.data import blobs
from tests.support.training import descend_on, kept, measure_on, train

INPUTS, LABELS = blobs(300)
RECIPES = {
    "bold driver": {"learning_rate": 2.0},
    "bold driver in batches": {"learning_rate": 3.0, "batch_size": 50, "optimizer": "nesterov"},
    "momentum": {"optimizer": "momentum", "schedule": "constant"},
    "adagrad": {"optimizer": "adagrad", "batch_size": 50},
    "rmsprop": {"optimizer": "rmsprop", "batch_size": 50, "schedule": "exponential:0.9"},
    "adam": {"optimizer": "adam", "batch_size": 50, "schedule": "one-cycle", "clip": 0.1},
    "adamw on a plateau": {"optimizer": "adamw", "schedule": "plateau:1", "learning_rate": 0.3, "l2": 0.01},
    "l-bfgs": {"optimizer": "l-bfgs:3"},
    "early stopping": {"optimizer": "adam", "learning_rate": 0.1, "validation_fraction": 0.3, "patience": 3},
    "dropout": {"layers": "dense:8,tanh,dropout:0.4", "optimizer": "momentum", "batch_size": 64},
    "averaged": {"average": "parameters", "optimizer": "adam", "rounds_per_epoch": 2, "outer_momentum": 0.5},
    "rounds of epochs": {
        **{"average": "parameters", "optimizer": "adam", "epochs_per_round": 2, "outer_momentum": 0.5},
        **{"schedule": "exponential:0.9", "validation_fraction": 0.3, "patience": 5},
    },
}


def prepared(options, epochs):
    """(start, a function that yields the progress after each epoch from a progress on, optimiser, parameters)."""
    recipe = Recipe.of(epochs=epochs, scale="largest", **options)
    facts = Facts(16, LABELS, 3, 255.0, are_pixels=True)
    split = split_of(recipe, facts)
    model = network_of(recipe, facts, split)
    plan = plan_of(recipe, split.train_rows)
    optimizer = optimizer_of(recipe, plan)
    blocks = split.apply(local_rdd(INPUTS, LABELS, block_rows=64)).persist()
    measure = measure_on(blocks, model, penalty=Penalty(recipe.l1, recipe.l2))
    descend = descend_on(blocks, model, (), Penalty(recipe.l1, recipe.l2))

    def run(progress):
        return train(measure, optimizer, plan, progress, descend, recipe.patience)

    params = model.init(recipe.seed)
    return Progress(optimizer.init(params)), run, optimizer, params


def carried_over(progress):
    """The progress as it comes back from a file."""
    point = Checkpoint(progress, {"epochs": 3}, {"train": "x"}, {"numpy": "2"})
    return checkpoint.from_bytes(checkpoint.to_bytes(point)).progress


def bits(nest):
    return [(leaf.tobytes(), leaf.dtype, leaf.shape, leaf.flags.f_contiguous) for leaf in tree.arrays(nest)]


def timeless(history):
    return [line[:6] + line[7:9] for line in history]


def test_a_regression_cut_at_any_epoch_ends_as_it_would_have():
    recipe = Recipe.of(
        task="regression", hidden=[4], optimizer="adam", batch_size=50, epochs=6, validation_fraction=0.2
    )
    values = LABELS + INPUTS[:, 0] / 255.0
    facts = Facts(16, values, 1)
    backend = LocalBackend(local_rdd(INPUTS, values, block_rows=64))
    run = TrainingRun.on(recipe, facts, backend)
    whole = list(run.epochs(backend))
    assert all(line.accuracy is None and line.val_accuracy is None for line in whole[-1].history)
    for progress in whole:
        *_, last = [progress, *run.epochs(backend, run.restore(carried_over(progress)))]
        assert timeless(last.history) == timeless(whole[-1].history)
        assert bits(run.final_params(last)) == bits(run.final_params(whole[-1]))


@pytest.mark.faults
@pytest.mark.parametrize("name", RECIPES)
def test_a_run_cut_at_any_epoch_ends_as_it_would_have(name):
    start, run, optimizer, params = prepared(RECIPES[name], epochs=9)
    whole = [start, *run(start)]
    for cut in range(1, len(whole)):
        progress = carried_over(whole[cut])
        progress = progress._replace(state=optimizer.restore(progress.state, params))
        for progress in run(progress):
            pass
        assert timeless(progress.history) == timeless(whole[-1].history)
        assert bits(kept(optimizer, progress)) == bits(kept(optimizer, whole[-1]))
        assert progress.best is None or progress.best.epoch == whole[-1].best.epoch


def test_a_run_of_rounds_goes_on_to_more_epochs_after_a_whole_round():
    options = {"average": "parameters", "optimizer": "momentum", "epochs_per_round": 2}
    start, run, _, _ = prepared(options, epochs=4)
    *_, short = run(start)
    start, run, optimizer, params = prepared(options, epochs=7)
    *_, whole = run(start)
    progress = carried_over(short)
    *_, last = run(progress._replace(state=optimizer.restore(progress.state, params)))
    assert timeless(last.history) == timeless(whole.history) and len(whole.history) == 7
    assert bits(last.state.trial) == bits(whole.state.trial)


@pytest.mark.parametrize("name", RECIPES)
def test_what_is_written_comes_back_as_it_was(name):
    start, run, optimizer, params = prepared(RECIPES[name], epochs=4)
    *_, last = run(start)
    back = carried_over(last)
    assert repr(back.history) == repr(last.history)
    assert repr(back.state) == repr(tree.to_plain(last.state))
    assert same_states(optimizer.restore(back.state, params), last.state)
    assert (back.best is None) == (last.best is None)
    if last.best is not None:
        assert back.best[:2] == last.best[:2] and bits(back.best.params) == bits(last.best.params)


def test_the_keys_are_those_of_earlier_versions():
    """Version 0.1.0 reads a checkpoint only with these keys in this order."""
    stored = {}
    for name in RECIPES:
        start, run, *_ = prepared(RECIPES[name], epochs=3)
        *_, last = run(start)
        stored[name] = tree.to_plain(last.state)
    for name, state in stored.items():
        if name != "l-bfgs":
            assert list(state) == ["trial", "slots", "steps", "learning_rate", "memory", "standing"]
    assert list(stored["bold driver"]["standing"]) == ["trial", "slots", "cost", "grads", "undone"]
    assert list(stored["adamw on a plateau"]["memory"]) == ["best", "waited", "scale"]
    assert list(stored["averaged"]["slots"]) == ["inner", "outer"]
    state = stored["l-bfgs"]
    assert list(state) == [
        *("trial", "learning_rate", "standing", "pairs", "direction", "line", "progress", "finished")
    ]
    assert list(state["standing"]) == ["params", "cost", "grads"]
    assert list(state["pairs"][0]) == ["s", "y", "sy"]
    assert list(state["progress"]) == ["cost", "gradient", "stalled"]
    assert list(state["line"]) == ["start", "low", "high", "trials", "last"]
    assert [type(value) for value in state["line"]["start"]] == [float, float, float]


def same_states(found, expected):
    """Whether two states have the same types and bits."""
    if isinstance(expected, (dict, list, tuple)):
        branches = [
            list(nest.values()) if isinstance(nest, dict) else list(nest) for nest in (found, expected)
        ]
        names = list(expected) == list(found) if isinstance(expected, dict) else True
        same_length = len(branches[0]) == len(branches[1])
        return type(found) is type(expected) and names and same_length and all(map(same_states, *branches))
    if isinstance(expected, np.ndarray):
        return bits([found]) == bits([expected])
    return type(found) is type(expected) and repr(found) == repr(expected)


def _state(bad, standing=None):
    """A state of one parameter and its slot, one of them not finite."""
    good = np.ones(3, np.float32)
    lost = np.array([1, np.inf if bad == "infinite slots" else np.nan, 3], np.float32)
    return {
        "trial": [{"W": lost if bad == "trial" else good}],
        "slots": [{"W": {"mean": lost if "slots" in bad else good, "count": np.array(3)}}],
        "standing": standing,
    }


@pytest.mark.parametrize(
    ("state", "best", "fault"),
    [
        (_state("trial"), None, "state.trial.0.W: expected finite numbers, found nan"),
        (_state("slots"), None, "state.slots.0.W.mean: expected finite numbers, found nan"),
        (_state("infinite slots"), None, None),  # a running mean of squares that became too large
        (_state("trial", _state("")), None, None),  # the next cost rejects that step
        (_state("slots", _state("")), None, None),
        (_state("", _state("trial")), None, "state.standing.trial.0.W: expected finite numbers, found nan"),
        (
            _state("", _state("slots")),
            None,
            "state.standing.slots.0.W.mean: expected finite numbers, found nan",
        ),
        (_state("", {"params": [np.array([-np.inf])]}), None, "state.standing.params.0: .* found -inf"),
        (_state(""), [{"W": np.array([np.nan])}], "best.0.W: expected finite numbers, found nan"),
    ],
)
def test_parameters_that_are_not_finite_are_a_fault_of_the_file(state, best, fault):
    line = Epoch(1, 1.0, 0.5, 0.1, True, 7, 0.1, 1.0, 0.5)
    progress = Progress(state, (line,), None if best is None else Best(1, 1.0, best))
    if fault is None:
        assert repr(carried_over(progress).state) == repr(state)
        return
    with pytest.raises(ValueError, match=fault):
        carried_over(progress)


def test_an_array_that_stands_in_two_places_is_written_once_and_is_one_again():
    w = np.arange(3000, dtype=np.float32)
    progress = Progress({"trial": [w], "standing": {"trial": [w]}}, (), None)
    content = checkpoint.to_bytes(Checkpoint(progress, {}, {}, {}))
    assert len(content) < 2 * w.nbytes
    state = checkpoint.from_bytes(content).progress.state
    assert state["trial"][0] is state["standing"]["trial"][0]


def test_numbers_that_are_not_finite_come_back():
    back = carried_over(Progress({"a": math.nan, "b": [math.inf, -math.inf, 1e-320]})).state
    assert math.isnan(back["a"]) and back["b"] == [math.inf, -math.inf, 1e-320]


@pytest.mark.parametrize(
    "value", [np.float64(1.5), np.float32(1), {1: 2}, {"array": 1}, object(), (1, 2), b""]
)
def test_a_value_that_would_come_back_as_another_is_refused(value):
    with pytest.raises(TypeError, match="expected"):
        checkpoint.to_bytes(Checkpoint(Progress({"x": value}), {}, {}, {}))


LINE = Epoch(1, 1.5, 0.5, 0.1, True, 300, 0.2, 0.7, 0.6)
POINT = Checkpoint(
    Progress({"trial": [{"W": np.ones((2, 2))}]}, (LINE,), Best(1, 0.7, [{"W": np.zeros((2, 2))}])),
    {"epochs": 3},
    {"train": "f00"},
    {"numpy": "2.0"},
)
CONTENT = checkpoint.to_bytes(POINT)


def changed(**values):
    """The checkpoint with other values in its JSON text."""
    arrays = npz.from_bytes(CONTENT)
    whole = {**json.loads(str(arrays.pop("checkpoint"))), **values}
    return npz.to_bytes({"checkpoint": np.array(json.dumps(whole)), **arrays})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an .npz archive"),
        (npz.to_bytes({}), 'expected a text named "checkpoint", found none'),
        (npz.to_bytes({"checkpoint": np.ones(2)}), 'expected a text named "checkpoint", found none'),
        (npz.to_bytes({"checkpoint": np.array("[1]")}), "expected a JSON object, found list"),
        (npz.to_bytes({"checkpoint": np.array("{")}), "Expecting property name"),
        (npz.to_bytes({"checkpoint": np.array("[" * 100_000)}), "nested too deep"),
        (npz.to_bytes({"checkpoint": np.array('{"a": NaN}')}), "expected JSON, found NaN"),
        (changed(format=2), "expected checkpoint format 1, found 2"),
        (changed(state=[1]), "expected state as a JSON object, found list"),
        (changed(state={"array": 0}), "expected state as a JSON object, found ndarray"),
        (changed(state={"number": "inf"}), "expected state as a JSON object, found float"),
        (changed(config=None), "expected config as a JSON object, found NoneType"),
        (changed(state={"trial": {"array": 7}}), "the array '7' is missing"),
        (changed(state={"trial": {"number": "1"}}), "expected nan, inf or -inf as a number, found '1'"),
        (
            changed(state={"a": [[[[[[]]]]]] * 1, "b": json.loads("[" * 60 + "]" * 60)}),
            "at most 40 values inside",
        ),
        (changed(history={}), "expected history as a JSON list, found dict"),
        (changed(history=[[1]]), "expected 14 values for an epoch, found 1"),
        (changed(history=[list(LINE._replace(epoch=2))]), "expected epoch 1 in the history, found 2"),
        (changed(history=[list(LINE._replace(cost="x"))]), "epoch 1: expected a float as cost, found 'x'"),
        (changed(history=[list(LINE._replace(rows=1.5))]), "epoch 1: expected a int as rows, found '1.5'"),
        (changed(best={"epoch": 1}), "expected epoch, cost, params of the best epoch"),
        (changed(best={"epoch": 2, "cost": 0.5, "params": []}), r"expected a best epoch in 1..1, found '2'"),
    ],
)
def test_what_is_no_checkpoint_is_refused_in_one_line(content, message):
    with pytest.raises(ValueError, match=message) as caught:
        checkpoint.from_bytes(content)
    assert "\n" not in str(caught.value)


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
@settings(max_examples=300)
def test_a_damaged_checkpoint_fails_in_no_other_way(offset, change):
    damaged = bytearray(CONTENT)
    damaged[offset] ^= change
    try:
        checkpoint.from_bytes(bytes(damaged))
    except ValueError as error:
        assert "\n" not in str(error)


def test_a_checkpoint_is_plain_numpy_and_json():
    with np.load(io.BytesIO(CONTENT), allow_pickle=False) as arrays_read:
        assert json.loads(str(arrays_read["checkpoint"]))["config"] == {"epochs": 3}
        assert np.array_equal(arrays_read["0"], np.ones((2, 2)))


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("momentum", {"trial": []}, "state.trial: expected 4 values, found 0 values"),
        ("momentum", {"steps": 1.5}, "state.steps: expected int, found float"),
        (
            "bold driver",
            {"standing": None},
            "state.standing: expected the last accepted point, found nothing",
        ),
        ("l-bfgs", {"line": None}, "state.line: expected the line of the trial, found nothing"),
        ("l-bfgs", {"pairs": [{}]}, "state.pairs.0: expected s, y, sy, found nothing"),
        (
            "adamw on a plateau",
            {"memory": {"best": 1.0}},
            "state.memory: expected best, waited, scale, found best",
        ),
    ],
)
def test_a_state_that_does_not_fit_the_network_or_the_optimiser_is_named(name, change, message):
    start, run, optimizer, params = prepared(RECIPES[name], epochs=3)
    *_, last = run(start)
    stored = tree.to_plain(last.state)
    optimizer.restore(stored, params)
    with pytest.raises(ValueError, match=message):
        optimizer.restore({**stored, **change}, params)
