"""--check, run as a whole: in which order it speaks, and what it ends with."""

import numpy as np
import pytest

from nn.cli import check as checking
from nn.cli import parser
from nn.cli.resume import Start
from nn.core.errors import DataError, MissingFileError, PlatformError, UsageError
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.run_directory import Output
from tests.support.data import blobs, write_csv

pytestmark = pytest.mark.spark


@pytest.fixture
def check(spark, tmp_path, capsys):
    """A function (words) -> the lines that --check prints; `check.raises(kind, words)` gives the message as well."""
    inputs, labels = blobs(300, width=9)
    paths = [write_csv(tmp_path / "x.csv", inputs), write_csv(tmp_path / "y.csv", labels)] * 2

    def run(*words):
        options = parser.parse([*paths, str(tmp_path / "out"), "--check", *words])
        storage = Storage(spark)
        try:
            checking.run(spark, storage, Output(storage.folder(options.output)), Start(options, None, False))
        finally:
            run.lines = capsys.readouterr().out.splitlines()
        return run.lines

    run.places = paths
    return run


def test_a_cluster_on_which_all_is_well(check, tmp_path):
    lines = check("--average", "parameters")
    assert lines[0].startswith("executor  host") and lines[1].startswith("driver    ")
    assert [line.split()[0] for line in lines[2:]] == [
        *["data"] * 4,
        *("memory", "output", "data", "label", "checked"),
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "y.csv"]


def test_a_fault_in_the_data_comes_after_all_that_is_known(check):
    with open(check.places[0], "a") as file:
        file.write("1,2,3\n")
    message = (
        r"--check: TRAIN_IMAGES: \S+/x.csv, line (\d+) of the last \1: expected 9 values .* found 3 values"
    )
    with pytest.raises(DataError, match=message):
        check()
    assert [line.split()[0] for line in check.lines[2:]][-3:] == ["memory", "output", "problem"]
    assert "TEST_IMAGES" in check.lines[-1]  # the same file


def test_a_file_that_is_nowhere_is_not_looked_for_on_executors(check, tmp_path):
    (tmp_path / "x.csv").unlink()
    with pytest.raises(MissingFileError, match="no such file or folder"):
        check()
    assert check.lines == []


def test_a_file_that_an_executor_lacks_is_told_with_the_machine(check, tmp_path, monkeypatch):
    (tmp_path / "x.csv").write_text("\0\0")  # as a job would meet it: DataError
    with pytest.raises(DataError, match="bytes that are not text"):
        check()
    assert check.lines[0].startswith("executor  host")
    monkeypatch.setattr(checking, "local_paths", lambda sources, storage: ["/nowhere/x.csv"])
    with pytest.raises(PlatformError, match="cannot read /nowhere/x.csv: put it on every machine"):
        check()
    assert check.lines[1].endswith("unreadable")


def test_sets_of_two_widths_and_networks_that_do_not_fit_are_refused(check, tmp_path):
    with pytest.raises(UsageError, match="put flatten before it"):
        check("--input-shape", "3x3x1", "--layers", "conv2d:2x2")
    check.places[2] = write_csv(tmp_path / "wide.csv", np.ones((300, 11), int))
    with pytest.raises(DataError, match="TEST_IMAGES: expected 9 input columns"):
        check()
