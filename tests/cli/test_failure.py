"""Why a run ended: _ERROR.json in OUTPUT, and a line of JSON in the log of a driver on the cluster."""

import json
import sys

import pytest

from nn.cli import entry, failure, ownership
from nn.core.errors import (
    DataError,
    DivergenceError,
    OutputLostError,
    PlatformError,
    Terminated,
    UsageError,
    add_hint,
)
from nn.spark.runtime import launcher
from nn.spark.storage.filesystem import LocalFolder
from nn.spark.storage.run_directory import Output, content_of
from tests.spark.runtime.test_errors import HTTP, JavaError


def end(folder, error):
    """Let an error end a run in a folder; return what _ERROR.json holds then, None where it is not there."""
    with pytest.raises(type(error)), failure.recorded(None, LocalFolder(str(folder))):
        raise error
    path = folder / "_ERROR.json"
    return json.loads(path.read_text()) if path.exists() else None


@pytest.mark.parametrize(
    ("error", "code", "kind"),
    [
        (UsageError("what came"), 2, "usage"),
        (DataError("what came"), 3, "data"),
        (PlatformError("what came"), 4, "environment"),
        (DivergenceError("what came"), 5, "diverged"),
        (Terminated(), 143, "terminated"),
        (KeyError("k"), 1, "unexpected"),
    ],
)
def test_an_error_is_recorded_with_its_code_and_kind(tmp_path, error, code, kind):
    recorded = end(tmp_path, error)
    assert (recorded["code"], recorded["kind"]) == (code, kind)
    message = {143: "terminated", 1: "KeyError: 'k'"}.get(code, "what came")
    assert recorded["message"] == message and (tmp_path / "_ERROR.json").read_text().count("\n") == 1


def test_a_connection_that_breaks_off_in_a_job_is_told_without_the_names_of_its_tasks(monkeypatch):
    error = JavaError(HTTP.format(""))
    found = failure.failure_of(error)
    assert found.code == 4 and found.message.startswith(
        "the connection to a storage broke off: org.apache.http.ConnectionClosedException: Premature end"
    )


def test_the_record_holds_the_options_to_try_and_the_hint(tmp_path):
    error = DivergenceError("the cost is inf", learning_rate=0.01)
    add_hint(error, "epoch 3 is kept")
    expected = "the cost is inf; try --learning-rate 0.01; epoch 3 is kept"
    assert end(tmp_path, error)["message"] == expected


def test_the_record_is_no_content_and_the_next_run_removes_it(tmp_path):
    end(tmp_path, DataError("bad"))
    folder = LocalFolder(str(tmp_path))
    assert content_of(folder) == []
    ownership.check(Output(folder), overwrite=False, resume=False)
    with failure.recorded(None, folder):
        assert folder.names() == []


def test_a_file_of_the_users_with_that_name_is_content_and_stays(tmp_path):
    (tmp_path / "_ERROR.json").write_text("[]")
    folder = LocalFolder(str(tmp_path))
    with pytest.raises(UsageError, match="found _ERROR.json"):
        ownership.check(Output(folder), overwrite=False, resume=False)
    with failure.recorded(None, folder):
        assert (tmp_path / "_ERROR.json").read_text() == "[]"


def test_a_run_that_lost_output_to_another_writes_nothing_there(tmp_path):
    assert end(tmp_path, OutputLostError("another run writes")) is None


def test_an_output_that_cannot_be_written_changes_no_error(tmp_path):
    (tmp_path / "_ERROR.json").mkdir()
    (tmp_path / "_ERROR.json" / "file").write_text("")
    with pytest.raises(DataError, match="^bad$"), failure.recorded(None, LocalFolder(str(tmp_path))):
        raise DataError("bad")


@pytest.mark.parametrize("on_cluster", [True, False])
def test_a_driver_on_the_cluster_prints_a_line_of_json_after_the_error(on_cluster, monkeypatch, capsys):
    def main(options):
        raise DataError("line 3: bad")

    monkeypatch.setattr(sys, "argv", ["prog.py"])
    monkeypatch.setattr(launcher, "runs_on_cluster", lambda: on_cluster)
    assert entry.run("prog.py", list, main) == 3
    error, *more = capsys.readouterr().err.splitlines()
    assert error == "prog.py: error: line 3: bad"
    expected = [{"code": 3, "kind": "data", "message": "line 3: bad"}] if on_cluster else []
    assert list(map(json.loads, more)) == expected
