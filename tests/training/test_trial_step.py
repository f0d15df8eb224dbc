"""A trial step is the recipe's own, and holds what a task holds."""

import tracemalloc

import numpy as np
import pytest

from nn.training import batching, trial_step
from nn.training.recipe import Recipe
from nn.training.trial_step import TrialStep


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"optimizer": "l-bfgs"},
        {"batch_size": 64, "optimizer": "adam", "augment": "shift:1", "input_shape": "4x4x1"},
        {"average": "parameters", "rounds_per_epoch": 50},
        {"average": "parameters", "epochs_per_round": 3},
    ],
)
@pytest.mark.parametrize("rows", [1, 30, 3000])
def test_every_way_of_training_can_be_tried(options, rows):
    assert TrialStep(Recipe.of(**options), 16, 3, rows, 1).run() > 0


def test_the_network_must_fit_the_rows():
    with pytest.raises(ValueError, match="image"):
        TrialStep(Recipe.of(layers="conv2d:4x3"), 17, 3, 10, 1).run()


def test_a_step_is_the_recipe_s_batch(monkeypatch):
    seen = []
    real = batching.start_batch

    def begin(model, selection, block):
        seen.append((block.inputs.shape, block.inputs.dtype))
        return real(model, selection, block)

    monkeypatch.setattr(batching, "start_batch", begin)
    TrialStep(Recipe.of(batch_size=20), 16, 3, 500, 4).run()
    assert seen == [((20, 16), np.dtype(np.float32))] * 4 + [
        ((500, 16), np.dtype(np.float32))
    ]  # the last is scored
    seen.clear()
    TrialStep(Recipe.of(average="parameters"), 16, 3, 500, 1).run()
    assert seen == [((64, 16), np.dtype(np.uint8))] * 2 + [((500, 16), np.dtype(np.uint8))]


def test_a_replica_holds_its_buffer_twice(monkeypatch):
    monkeypatch.setattr(trial_step, "BUFFER", 10 << 20)
    peaks = []
    for rows in (20_000, 2_000_000):  # 1 MB, and more than a buffer
        tracemalloc.start()
        TrialStep(Recipe.of(average="parameters"), 50, 3, rows, 1).run()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert 2e6 < peaks[0] < 6e6 and 21e6 < peaks[1] < 30e6
    tracemalloc.start()
    TrialStep(Recipe.of(average="parameters", epochs_per_round=2), 50, 3, 2_000_000, 1).run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 121e6 < peak < 130e6  # and its rows, for the epochs of a round


def test_parameters_lie_there_as_a_message_beside_the_gradients_of_two_blocks():
    parameters = 4 * (784 * 3000 + 3000 + 3000 * 10 + 10)
    tracemalloc.start()
    TrialStep(Recipe.of(hidden="3000", optimizer="sgd"), 784, 10, 4, 1).run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 4.9 * parameters < peak < 5.1 * parameters  # with the one that is being added
