"""Executors that are killed while a stage of pyspark.ml is fitted leave no trace in the model.

The short version runs with all tests; `make test-faults` runs it --thorough.
"""

import time

import pytest

from tests.robustness import fit_task
from tests.robustness.test_scoring_faults import EXECUTORS, PSEUDO, kill_an_executor, log_of
from tests.support import ROOT
from tests.support.submitting import begin

pytestmark = [pytest.mark.spark, pytest.mark.faults]

FIT = ROOT / "tests" / "robustness" / "fit_task.py"
AVERAGINGS = ["parameters", pytest.param("gradients", marks=pytest.mark.thorough)]


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """The path of rows of features and labels."""
    return fit_task.write_rows(tmp_path_factory.mktemp("rows") / "rows.json")


@pytest.mark.parametrize("averaging", AVERAGINGS)
def test_an_executor_killed_while_fitting_leaves_no_trace_in_the_model(
    rows, spark, tmp_path, averaging, count
):
    from pyspark.sql import SparkSession

    expected = tmp_path / "expected.npz"
    fit_task.fit(SparkSession.builder.getOrCreate(), rows, averaging).write_npz(expected)
    for number in range(count(1, 5)):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = begin(FIT, rows, folder / "model.npz", averaging, cwd=folder, conf=EXECUTORS, master=PSEUDO)
        wait_for_epoch(process, folder, 2 + 4 * number)
        assert kill_an_executor(process, number)
        assert process.wait(300) == 0, log_of(folder)
        assert (folder / "model.npz").read_bytes() == expected.read_bytes()


def wait_for_epoch(process, folder, epoch):
    """Until an epoch is printed and more are to come."""
    until = time.monotonic() + 120
    while f"epoch {epoch}\n" not in (folder / "console.txt").read_text():
        assert process.poll() is None and time.monotonic() < until, log_of(folder)
        time.sleep(0.005)
