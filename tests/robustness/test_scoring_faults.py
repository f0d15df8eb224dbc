"""Kills while predict_task.py writes: the predictions are the same to the byte, or OUTPUT has no _SUCCESS.

The short version runs with all tests; `make test-faults` runs it --thorough.
"""

import contextlib
import os
import signal
import subprocess
import time

import numpy as np
import pytest

import nn
from nn.cli import predict
from nn.cli.predict_options import parse
from nn.spark.storage.filesystem import Storage
from tests.support import ROOT
from tests.support.cluster import standalone
from tests.support.data import blobs, write_csv
from tests.support.submitting import begin, submit

pytestmark = [pytest.mark.spark, pytest.mark.faults]

PREDICT = ROOT / "predict_task.py"
PSEUDO = "local-cluster[2,1,1024]"
EXECUTORS = ["--conf", "spark.executor.memory=512m", "--conf", "spark.driver.host=127.0.0.1"]
ROWS, PARTITIONS = 12_000, 24
WORDS = ["--probabilities", "--partitions", PARTITIONS]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A model, and rows for it."""
    folder = tmp_path_factory.mktemp("places")
    inputs, labels = blobs(ROWS, width=64, classes=4, seed=1)
    nn.fit(inputs[:500], labels[:500], hidden=16, epochs=2).classifier.save(folder / "model.npz")
    return [folder / "model.npz", write_csv(folder / "x.csv", inputs)]


@pytest.fixture(scope="module")
def undisturbed(places, spark, tmp_path_factory):
    """The predictions of a run that nothing disturbs, in the tests' Spark."""
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    predict.run(spark, Storage(spark), parse(list(map(str, [*places, out, *WORDS]))))
    return predictions(out)


def predictions(out):
    """The content of the part files in their order. Their names differ from run to run."""
    parts = sorted((out / "predictions").glob("part-*"))
    assert len(parts) == PARTITIONS
    return [part.read_bytes() for part in parts]


def is_whole(out):
    return (out / "_SUCCESS").exists()


def wait_for_a_part(process, out, parts):
    """Until so many tasks have written their files, but not the job; whether that was seen."""
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if len(list((out / "predictions" / "_temporary" / "0").glob("task_*"))) >= parts:
            return True
        time.sleep(0.002)
    return False


def log_of(folder):
    return (folder / "console.txt").read_text()[-3000:]


def test_an_executor_killed_while_predictions_are_written_leaves_no_trace(
    places, undisturbed, tmp_path, count
):
    killed = 0
    for number in range(count(1, 6)):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = begin(PREDICT, *places, "out", *WORDS, cwd=folder, conf=EXECUTORS, master=PSEUDO)
        if wait_for_a_part(process, folder / "out", 1 + 3 * number):
            killed += kill_an_executor(process, number)
        assert process.wait(300) == 0, log_of(folder)
        assert is_whole(folder / "out") and predictions(folder / "out") == undisturbed
    assert killed >= count(1, 4)


def kill_an_executor(process, number):
    """Kill -9 one of the executors that the Java process of spark-submit started; whether there was one."""
    listed = subprocess.run(
        ["pgrep", "-P", str(process.pid), "-f", "CoarseGrainedExecutorBackend"],
        capture_output=True,
        text=True,
    )
    executors = [int(line) for line in listed.stdout.split()]
    with contextlib.suppress(ProcessLookupError):
        for executor in executors[number % 2 :][:1]:
            os.kill(executor, signal.SIGKILL)
            return True
    return False


def test_a_driver_killed_while_predictions_are_written_is_run_again_to_the_same(
    places, undisturbed, tmp_path, count
):
    killed = 0
    for number in range(count(1, 6)):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = begin(PREDICT, *places, "out", *WORDS, cwd=folder)
        if wait_for_a_part(process, folder / "out", 1 + 4 * number):
            os.killpg(process.pid, signal.SIGKILL)
            killed += 1
        process.wait(300)
        if is_whole(folder / "out"):  # the run was quicker
            assert predictions(folder / "out") == undisturbed
        done = submit(PREDICT, *places, "out", *WORDS, "--overwrite", cwd=folder)
        assert done.returncode == 0, done.stdout[-3000:]
        assert is_whole(folder / "out") and predictions(folder / "out") == undisturbed
        assert sorted(path.name for path in (folder / "out").iterdir()) == [
            "_SUCCESS",
            "config.json",
            "predictions",
            "summary.json",
        ]
    assert killed >= count(1, 4)


@pytest.mark.thorough
def test_predictions_do_not_depend_on_where_they_are_made(places, undisturbed, tmp_path):
    with standalone(tmp_path / "cluster") as cluster:
        masters = {"one": "local[1]", "three": "local[3]", "pseudo": PSEUDO, "real": cluster.master}
        for name, master in masters.items():
            conf = EXECUTORS if name in ("pseudo", "real") else []
            done = submit(PREDICT, *places, name, *WORDS, cwd=tmp_path, conf=conf, master=master)
            assert done.returncode == 0, done.stdout[-3000:]
            assert predictions(tmp_path / name) == undisturbed


@pytest.mark.thorough
def test_other_partitions_change_the_last_bits_only(places, undisturbed, spark, tmp_path):
    expected = values(undisturbed)
    for partitions in (1, 7):
        out = tmp_path / str(partitions)
        words = [*places, out, "--probabilities", "--partitions", partitions]
        predict.run(spark, Storage(spark), parse(list(map(str, words))))
        found = values([part.read_bytes() for part in sorted((out / "predictions").glob("part-*"))])
        assert np.array_equal(found[:, :2], expected[:, :2])
        np.testing.assert_allclose(found[:, 2:], expected[:, 2:], atol=1e-6)


def values(parts):
    """The numbers of part files: row, prediction, probabilities."""
    lines = [line for part in parts for line in part.decode().splitlines()[1:]]
    return np.array([line.split(",") for line in lines], float)
