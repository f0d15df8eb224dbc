"""OUTPUT: what is replaced, and how often histories are written."""

import pytest

from nn.core.errors import PlatformError
from nn.spark.storage.filesystem import LocalFolder
from nn.spark.storage.run_directory import Output
from nn.training.records import Epoch

HISTORY = tuple(Epoch(number, 1.0, 0.5, 0.1, True, 7, 0.1) for number in range(1, 4))


class FarFolder(LocalFolder):
    """A local folder that is treated as one a request away."""

    is_local = False


def test_a_probe_leaves_everything_as_it_was(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    for name in ("empty", "link", "a/b/c"):
        Output(LocalFolder(str(tmp_path / name))).probe()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["empty", "link"]


def test_a_probe_that_fails_leaves_everything_as_it_was(tmp_path):
    class FullDisk(LocalFolder):
        def write(self, name, content):
            super().write(name, b"")
            super().remove(name)
            raise PlatformError("No space left on device")

    class Unreadable(LocalFolder):
        def read(self, name, most):
            raise PlatformError("Input/output error")

    for kind, reason in ((FullDisk, "No space left"), (Unreadable, "Input/output")):
        with pytest.raises(PlatformError, match=reason):
            Output(kind(str(tmp_path / "a" / "b"))).probe()
        assert list(tmp_path.iterdir()) == []


def test_a_configuration_that_says_the_same_is_not_written_again(tmp_path):
    output = Output(LocalFolder(str(tmp_path)))
    output.write_config({"epochs": 3})
    before = (tmp_path / "config.json").stat()
    output.write_config({"epochs": 3})
    after = (tmp_path / "config.json").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    output.write_config({"epochs": 4})
    assert output.config() == {"epochs": 4}


def test_clearing_leaves_what_is_not_a_run_s(tmp_path):
    (tmp_path / "tests").mkdir()
    for name in ("part-00000", "mine.txt"):
        (tmp_path / "tests" / name).write_text("")
    Output(LocalFolder(str(tmp_path))).clear()
    assert [path.name for path in (tmp_path / "tests").iterdir()] == ["mine.txt"]


def lines(tmp_path):
    path = tmp_path / "history.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


def test_output_writes_the_history_after_each_epoch_on_a_local_disk(tmp_path):
    output = Output(LocalFolder(str(tmp_path)))
    for count in (1, 2, 3):
        output.write_history(HISTORY[:count])
        assert lines(tmp_path) == count


def test_output_writes_the_history_elsewhere_every_10_seconds_and_at_the_end(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("nn.spark.storage.run_directory.time.monotonic", lambda: now[0])
    output = Output(FarFolder(str(tmp_path)))
    output.write_history(HISTORY[:1])
    assert lines(tmp_path) == 1
    now[0] += 9
    output.write_history(HISTORY[:2])
    assert lines(tmp_path) == 1
    now[0] += 1
    output.write_history(HISTORY[:2])
    assert lines(tmp_path) == 2
    output.write_history(HISTORY)
    assert lines(tmp_path) == 2
    output.finish_history()
    assert lines(tmp_path) == 3
