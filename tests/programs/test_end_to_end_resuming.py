"""A run that is cut short and goes on: the same model to the byte, whatever ended it."""

import csv
import json
import os
import re
import signal
import sys
import time

import pytest

from tests.support.submitting import MAIN, begin, begin_command, job, python_under, submit, write_text_set

pytestmark = pytest.mark.spark

EPOCHS = "40"
WORDS = ["--epochs", EPOCHS, "--batch-size", "200", "--optimizer", "adam", "--validation-fraction", "0.2"]
WORDS += [
    "--layers",
    "dense:8,relu,dropout:0.2",
    "--loss",
    "cross-entropy",
    "--patience",
    "50",
    "--partitions",
    "3",
    "--average-weights",
    "ema:0.9",
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four files of an easy set."""
    return write_text_set(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data, spark, tmp_path_factory):
    """OUTPUT of the run that nothing ends, in the tests' Spark."""
    out = tmp_path_factory.mktemp("whole") / "out"
    job(spark, *data, out, *WORDS)
    return out


def epochs_in(out):
    path = out / "history.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


def run_until(epochs, data, cwd, *words):
    """A run that has made so many epochs."""
    return after(epochs, begin(MAIN, *data, "out", *WORDS, *words, cwd=cwd), cwd)


def after(epochs, process, cwd):
    """The process of a run, once it has made so many epochs."""
    until = time.monotonic() + 120
    while epochs_in(cwd / "out") < epochs:
        assert process.poll() is None and time.monotonic() < until, (cwd / "console.txt").read_text()[-3000:]
        time.sleep(0.01)
    return process


def resumed(data, cwd, *words):
    done = submit(MAIN, *data, "out", *WORDS, "--resume", *words, cwd=cwd)
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


def refused_beside(process, data, cwd):
    """Check that no other run writes to OUTPUT beside one that is alive."""
    before = {path: path.stat().st_mtime_ns for path in (cwd / "out").rglob("*")}
    done = submit(MAIN, *data, "out", *WORDS, "--overwrite", cwd=cwd)
    message = (
        f"main_task.py: error: OUTPUT: another run writes to {cwd}/out: process {python_under(process)} on "
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("main_task.py: error: ")]
    assert done.returncode == 2 and line.startswith(message), done.stdout[-3000:]
    assert {path: path.stat().st_mtime_ns for path in (cwd / "out").rglob("*")} == before


def same_run(out, whole):
    """Whether the results are the same but for what the clock said."""
    files = ("model.npz", "model.md", "config.json", "examples.csv")
    for name in (*files, "metrics/part-00000", "cost_history/part-00000"):
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name
    clocked = {"seconds", "schedule", "read", "compute", "sum", "update"}
    lines = [
        [{name: value for name, value in row.items() if name not in clocked} for row in csv.DictReader(file)]
        for file in ((out / "history.csv").open(), (whole / "history.csv").open())
    ]
    assert lines[0] == lines[1] and len(lines[0]) == int(EPOCHS)


@pytest.mark.faults
def test_a_killed_run_goes_on_to_the_same_model_and_then_has_nothing_to_do(data, whole, tmp_path):
    process = run_until(16, data, tmp_path, "--checkpoint-every", "5")
    os.killpg(process.pid, signal.SIGSTOP)
    refused_beside(process, data, tmp_path)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    out = tmp_path / "out"
    assert not (out / "_SUCCESS").exists() and not (out / "model.npz").exists()
    output_text = resumed(data, tmp_path)
    assert "waiting" not in output_text and not (out / "_RUNNING").exists()
    made = int(output_text.split("resumed   after epoch ")[1].split(" of ")[0])
    assert made % 5 == 0 and made >= 15
    assert json.loads((out / "summary.json").read_text())["train"]["resumed_after"] == made
    same_run(out, whole)

    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert f"finished  the run in OUTPUT has ended after epoch {EPOCHS}; nothing to do" in resumed(
        data, tmp_path
    )
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


@pytest.mark.faults
@pytest.mark.parametrize("whom", ["all", pytest.param("program", marks=pytest.mark.thorough)])
def test_a_terminated_run_says_how_it_goes_on_and_does(data, whole, tmp_path, whom):
    process = run_until(10, data, tmp_path, "--checkpoint-every", "1000")
    if whom == "all":  # of the group, spark-submit's Java too
        os.killpg(process.pid, signal.SIGTERM)
    else:
        os.kill(python_under(process), signal.SIGTERM)
    assert process.wait(60) == 143
    until = time.monotonic() + 30
    while not list((tmp_path / "out").glob("checkpoints/*.json")) and time.monotonic() < until:
        time.sleep(0.05)  # the Python program outlives spark-submit
    while (
        "main_task.py" not in (output_text := (tmp_path / "console.txt").read_text())
        and time.monotonic() < until
    ):
        time.sleep(0.05)
    last = output_text.splitlines()[-1]
    assert last.startswith("main_task.py: terminated; the same command with --resume goes on after"), (
        output_text
    )
    assert "Traceback" not in output_text and "py4j" not in output_text
    assert "resumed   after epoch" in resumed(data, tmp_path)
    same_run(tmp_path / "out", whole)


@pytest.mark.faults
def test_a_program_without_spark_submit_is_terminated_with_all_its_group_and_says_one_line(data, tmp_path):
    words = [*data, "out", "--epochs", "100000"]
    process = after(5, begin_command([sys.executable, MAIN, *words], cwd=tmp_path), tmp_path)
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(60) == 143
    output_text = (tmp_path / "console.txt").read_text()
    assert re.search(
        r"\nmain_task.py: terminated; the same command with --resume goes on after epoch \d+\n$", output_text
    )
    assert "Traceback" not in output_text and "Exception" not in output_text, output_text
    assert list((tmp_path / "out").glob("checkpoints/*.json"))
