"""The peers of the side-by-side benchmark compute what they say: the same gradients, the right mean, true answers."""

import json
import math
import os
import subprocess
import sys
import time
from argparse import Namespace

import numpy as np
import pytest

from tests.support import ROOT
from tests.support.data import blobs, write_csv
from tests.support.training import step

sys.path.append(str(ROOT / "benchmarks"))

from peers import arithmetic, contract, digits, memory, nn_spark, numpy_limit, per_record, spark_mlp

from nn.core import tree
from nn.data.batches import RowSelection
from nn.data.block import Block
from nn.optim.rules import Momentum
from nn.training.local import LocalBroadcast, LocalRDD, local_rdd
from tests.support.networks import multilayer_perceptron

INPUTS, LABELS = blobs(100, classes=10)
WIDTHS = {(8,): (16, 8, 10), (8, 5): (16, 8, 5, 10)}


def ours(hidden, activation="relu", loss="cross-entropy"):
    model = multilayer_perceptron(16, 10, hidden, activation, loss, scale=255.0)
    return model, model.init(3)


def flat(nest):
    """All arrays of a nest, in the order of layers, as one."""
    return np.concatenate([layer[name].ravel() for layer in nest for name in ("W", "b") if name in layer])


def hand_written(hidden, rows=64):
    _, params = ours(hidden)
    network = arithmetic.Perceptron(WIDTHS[hidden], rows)
    network.values[:] = flat(params)
    return network


@pytest.mark.parametrize("hidden", WIDTHS)
@pytest.mark.parametrize("block", [7, 64])
def test_the_numpy_limit_sums_the_gradients_of_our_chain(hidden, block):
    model, params = ours(hidden)
    sums = step(local_rdd(INPUTS, LABELS), model, LocalBroadcast(params), RowSelection())
    network, total = hand_written(hidden), np.empty(arithmetic.size(WIDTHS[hidden]), np.float32)
    network.gradients(INPUTS, LABELS, total, block)
    assert np.linalg.norm(flat(sums.grads)) > 1
    assert np.allclose(total, flat(sums.grads), atol=1e-4)


def test_the_numpy_limit_takes_the_steps_of_our_momentum():
    model, params = ours((8,))
    network, values = hand_written((8,)), flat(params)
    rule = Momentum(0.9)
    slot = rule.start(values)
    for start in (0, 50):
        batch = slice(start, start + 50)
        network.forward(INPUTS[batch])
        network.backward(LABELS[batch], -0.1 / 50)
        network.step(0.9)
        sums = step(local_rdd(INPUTS[batch], LABELS[batch]), model, LocalBroadcast(params), RowSelection())
        rule.update(values, flat(tree.scale(sums.grads, 1 / 50)), slot, 0.1)
        for layer, (W, b) in zip(params[::2], arithmetic.layers(values, WIDTHS[8,]), strict=True):
            layer["W"], layer["b"] = W, b
    assert not np.allclose(values, flat(ours((8,))[1]), atol=1e-3)
    assert np.allclose(network.values, values, atol=1e-5)


def test_the_numpy_limit_counts_the_hits_of_our_prediction():
    model, params = ours((8,))
    expected = np.mean(model.predict(params, INPUTS) == LABELS)
    assert hand_written((8,)).accuracy(INPUTS, LABELS, 33) == pytest.approx(expected)


def test_replicas_weigh_as_much_as_they_have_rows():
    replicas = np.array([[0.0, 10.0], [4.0, 30.0]], np.float32)
    assert arithmetic.mean(replicas, [3, 1]).tolist() == [1.0, 15.0]
    assert arithmetic.mean(replicas, [1, 1]).dtype == np.float32


class Answers:
    """Stands for the processes of the NumPy limit: what they leave on the board is there already."""

    def __init__(self, common, own):
        self.board = Namespace(common=np.array(common, np.float32), own=np.array(own, np.float32))

    def ask(self, command):
        self.asked = command


def test_the_parent_averages_parameters_and_velocities_by_rows():
    team = Answers([[0], [0]], [[[1.0], [10.0]], [[5.0], [30.0]]])  # (parts, 2, values)
    training = numpy_limit.Training(Namespace(), team, [3, 1])
    training.parameters()
    assert team.asked == "parameters" and team.board.common.tolist() == [[2.0], [15.0]]


def test_the_parent_takes_one_step_with_the_mean_of_all_rows_gradients():
    team = Answers([[2.0], [0.5]], [[[6.0], [0.0]], [[2.0], [0.0]]])
    training = numpy_limit.Training(Namespace(momentum=0.5, learning_rate=0.1), team, [3, 1])
    training.gradients()
    assert team.asked == "gradients" and np.allclose(team.board.common, [[2.05], [0.05]])


def test_start_values_follow_the_seed_and_our_families():
    widths = (784, 400, 10)
    first, again, other = (arithmetic.layers(arithmetic.start(widths, seed), widths) for seed in (1, 1, 2))
    assert np.array_equal(first[0][0], again[0][0]) and not np.array_equal(first[0][0], other[0][0])
    (W1, b1), (W2, b2) = first
    assert W1.std() == pytest.approx(np.sqrt(2 / 784), rel=0.02)
    assert np.abs(W2).max() <= np.sqrt(6 / 410) and W2.std() == pytest.approx(np.sqrt(2 / 410), rel=0.05)
    assert not b1.any() and not b2.any()


@pytest.mark.parametrize("rows, parts", [(60_000, 2), (7, 3), (2, 4)])
def test_parts_cover_all_rows_once(rows, parts):
    shares = [digits.share(rows, parts, part) for part in range(parts)]
    assert [row for start, stop in shares for row in range(start, stop)] == list(range(rows))
    assert max(stop - start for start, stop in shares) - min(stop - start for start, stop in shares) <= 1


def test_one_row_a_record_sums_the_gradients_of_our_chain():
    model, params = ours((8,), "sigmoid", "mse")
    chained = step(local_rdd(INPUTS, LABELS), model, LocalBroadcast(params), RowSelection())
    lines = [",".join(map(str, row)) for row in INPUTS]
    rows = [per_record.parsed(LocalBroadcast(LABELS), (line, number)) for number, line in enumerate(lines)]
    layers = [(params[index]["W"], params[index]["b"]) for index in (0, 2)]
    sums = per_record.gradients(LocalRDD([rows[:40], rows[40:]]), LocalBroadcast(layers))
    assert np.allclose(np.concatenate([each.ravel() for each in sums]), flat(chained.grads), atol=1e-4)


# ---- what a peer answers ----


def args(**more):
    return Namespace(epochs=5, until=None, **more)


def test_epochs_stop_at_the_accuracy_and_measure_it_outside_their_time():
    accuracies = iter([0.5, 0.9, 0.95, 1.0])

    def slow_accuracy():
        time.sleep(0.2)
        return next(accuracies)

    lines = contract.epochs(Namespace(epochs=4, until=0.9), lambda: {"read": 1.5}, slow_accuracy)
    assert [line["accuracy"] for line in lines] == [0.5, 0.9]
    assert all(line["read"] == 1.5 and 0 <= line["seconds"] < 0.15 for line in lines)


def test_epochs_end_where_training_does():
    steps = iter([None, None])
    assert len(contract.epochs(args(), lambda: next(steps), lambda: 0.5)) == 2


def answered(capfd, monkeypatch, needs, main):
    monkeypatch.setattr(sys, "argv", ["peer", "--data", "data"])
    contract.run("some_peer", needs, contract.options("A peer."), main)
    out, err = capfd.readouterr()
    return json.loads(out.splitlines()[-1]), out, err


def test_a_peer_without_its_module_says_so_and_how_to_get_it(capfd, monkeypatch):
    answer, out, _ = answered(capfd, monkeypatch, ("numpy", "no_such_module"), lambda args: pytest.fail())
    assert answer["peer"] == "some_peer" and answer["missing"] and len(out.splitlines()) == 1
    assert (
        answer["skipped"] == "no module no_such_module in its Python: pip install -r requirements-bench.txt"
    )


def test_a_peer_may_print_what_it_likes_before_its_answer(capfd, monkeypatch):
    def main(args):
        os.write(1, b"a library's words\n")  # below Python's sys.stdout, as a child process would
        return contract.Answer("some_peer", {"numpy": "2"}, 1.5)

    answer, out, err = answered(capfd, monkeypatch, (), main)
    assert answer["load"] == 1.5 and len(out.splitlines()) == 1
    assert "a library's words" in err


def test_rows_that_do_not_fit_are_skipped_with_the_sizes(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 1000.0)
    numpy_limit.refuse_what_does_not_fit(800 * 2**20)
    with pytest.raises(contract.Skipped, match="the rows need 1,200 MB, 1,000 MB are free"):
        numpy_limit.refuse_what_does_not_fit(1000 * 2**20)


@pytest.mark.skipif(not memory.PROC.is_dir(), reason="no /proc here")
def test_memory_is_the_most_a_process_held_and_finds_the_processes_below_it():
    # In a process of its own: this one may have held more before.
    lines = [
        "import os, sys",
        "import numpy as np",
        "from peers import memory",
        "before = memory.peak()",
        "np.ones(30_000_000, np.int64).sum()",
        "assert memory.peak() - before > 100, (before, memory.peak())",
        "assert os.getpid() in memory.descendants(os.getppid())",
        'assert memory.peak("no such process") is None',
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'benchmarks'}:{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


def test_memory_of_workers_is_their_sum_and_the_largest():
    assert memory.together([1.0, None, 3.0]) == {"workers": 4.0, "worker": 3.0}
    assert memory.together([]) == {"workers": None, "worker": None}


def test_the_search_comes_near_the_first_fit_that_reaches_each_level():
    fits = []

    def fit(iterations):
        fits.append(iterations)
        return {"accuracy": 1 - 1 / (1 + iterations), "from_start": float(iterations)}

    levels = [0.95, 0.99, 0.9999]  # first reached after 19, 99 and 9,999 iterations
    lines = spark_mlp.searched(fit, 300, levels)
    taken = [line["from_start"] for line in lines]
    assert taken == sorted(taken) and len(fits) == len(set(fits)) and max(fits) == 300
    assert min(n for n in taken if 1 - 1 / (1 + n) >= 0.95) == 20  # the smallest fit that is tried
    assert 99 <= min(n for n in taken if 1 - 1 / (1 + n) >= 0.99) <= 1.15 * 99


def test_the_search_may_be_smaller_than_its_first_fit():
    assert len(spark_mlp.searched(lambda n: {"accuracy": 0.1}, 2, [0.95])) == 1


def fits(setup, iteration, stops=math.inf):
    """Fits that take so many seconds once and for each iteration, and end after `stops`."""
    fitted = []

    def fit(iterations):
        taken = min(iterations, stops)
        fitted.append(iterations)
        seconds = next(setup) + iteration * taken
        return {"seconds": math.nan, "from_start": seconds, "iterations": taken, "accuracy": taken / 100}

    return fit, fitted


def test_an_iteration_of_a_fit_is_timed_without_what_a_fit_does_once():
    setups = iter([7.0, 7.0, 3.0, 90.0, 5.0, 5.0])  # a slow hour falls upon one pair
    fit, fitted = fits(setups, 0.5)
    line = spark_mlp.marginal(fit, 15)
    assert fitted == [5, 15] * 3
    assert line["seconds"] == pytest.approx(0.5) and line["accuracy"] == 0.15 and line["iterations"] == 15


@pytest.mark.parametrize("iteration, stops", [(0.5, 4), (-0.1, 100)])
def test_fits_whose_difference_says_nothing_are_skipped(iteration, stops):
    with pytest.raises(contract.Skipped, match="too few to time one"):
        spark_mlp.marginal(fits(iter([7.0] * 6), iteration, stops)[0], 15)


def test_the_shortest_fits_are_of_one_and_two_iterations():
    for most in (1, 2):
        fit, fitted = fits(iter([1.0] * 6), 0.5)
        spark_mlp.marginal(fit, most)
        assert fitted == [1, 2] * 3


def test_csv_files_are_pasted_line_by_line(tmp_path):
    write_csv(digits.path(tmp_path, "images", "train"), INPUTS[:3])
    write_csv(digits.path(tmp_path, "labels", "train"), LABELS[:3])
    pasted = np.loadtxt(spark_mlp.paste(tmp_path, "train", tmp_path), delimiter=",")
    assert np.array_equal(pasted[:, 0], LABELS[:3]) and np.array_equal(pasted[:, 1:], INPUTS[:3])


@pytest.mark.parametrize(
    "words, expected",
    [
        (["--average", "gradients"], {"sample": 1.0, "batch_size": None}),
        (["--average", "gradients", "--job-batch", "500"], {"batch_size": 500}),
        (["--average", "parameters"], {"average": "parameters", "batch_size": 64}),
        (["--average", "gradients", "--optimizer", "l-bfgs"], {"learning_rate": None}),
    ],
)
def test_our_own_peer_asks_for_the_recipe_in_our_words(words, expected):
    recipe = nn_spark.recipe(nn_spark.options().parse_args(["--data", "data", "--hidden", "32,16", *words]))
    assert recipe.hidden == (32, 16) and recipe.activation == "relu"
    for name, value in expected.items():
        assert getattr(recipe, name) == value


def test_repeated_rows_have_numbers_of_their_own():
    block = Block(np.arange(20, 30), INPUTS[20:30], LABELS[20:30])
    rows = np.concatenate([copy.rows for copy in nn_spark.copier(3, 100)(block)])
    assert rows.tolist() == [*range(20, 30), *range(120, 130), *range(220, 230)]
