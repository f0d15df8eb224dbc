"""OUTPUT: what is refused, what is replaced, and how often histories are written."""

import pytest

from nn.errors import UsageError
from nn.records import Epoch
from nn.spark.output import OURS, Output
from nn.spark.storage import LocalFolder

HISTORY = tuple(Epoch(number, 1.0, 0.5, 0.1, True, 7, 0.1) for number in range(1, 4))


class FarFolder(LocalFolder):
    """A local folder that is treated as one a request away."""

    is_local = False


def test_output_refuses_a_folder_that_holds_anything(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(
        UsageError, match="expected a folder that is new or empty, found 1 entries in .*--overwrite"
    ):
        Output(LocalFolder(str(tmp_path))).claim(overwrite=False)


def test_output_accepts_a_new_or_empty_folder_and_writes_nothing_yet(tmp_path):
    for folder in (tmp_path, tmp_path / "new"):
        Output(LocalFolder(str(folder))).claim(overwrite=False)
    assert list(tmp_path.iterdir()) == []


def test_output_overwrite_replaces_only_what_a_run_writes(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    for name in OURS:
        if "." in name or name.startswith("_"):
            (tmp_path / name).write_text("old")
        else:
            (tmp_path / name).mkdir()
            (tmp_path / name / "part-00000").write_text("old")
    output = Output(LocalFolder(str(tmp_path)))
    output.claim(overwrite=True)
    output.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def lines(tmp_path):
    path = tmp_path / "history.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


def test_output_writes_the_history_after_each_epoch_on_a_local_disk(tmp_path):
    output = Output(LocalFolder(str(tmp_path)))
    for count in (1, 2, 3):
        output.write_history(HISTORY[:count], last=count == 3)
        assert lines(tmp_path) == count
        assert (tmp_path / "cost_history" / "_SUCCESS").exists() == (count == 3)


def test_output_writes_the_history_elsewhere_every_10_seconds_and_at_the_end(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("nn.spark.output.time.monotonic", lambda: now[0])
    output = Output(FarFolder(str(tmp_path)))
    output.write_history(HISTORY[:1])
    assert lines(tmp_path) == 1
    now[0] += 9
    output.write_history(HISTORY[:2])
    assert lines(tmp_path) == 1
    now[0] += 1
    output.write_history(HISTORY[:2])
    assert lines(tmp_path) == 2
    output.write_history(HISTORY, last=True)
    assert lines(tmp_path) == 3
