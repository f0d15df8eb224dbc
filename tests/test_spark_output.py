"""OUTPUT: what is refused, what is replaced, and how often histories are written."""

import pytest

from nn.errors import EnvironmentFault, UsageError
from nn.records import Epoch
from nn.spark.output import FILES, FOLDERS, SUCCESS, Output
from nn.spark.storage import LocalFolder

HISTORY = tuple(Epoch(number, 1.0, 0.5, 0.1, True, 7, 0.1) for number in range(1, 4))


class FarFolder(LocalFolder):
    """A local folder that is treated as one a request away."""

    is_local = False


def test_output_refuses_a_folder_that_holds_anything(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(
        UsageError,
        match="expected a folder that is new or empty, found thesis.tex in .*--resume goes on .*--overwrite",
    ):
        Output(LocalFolder(str(tmp_path))).claim(overwrite=False, resume=False)


def test_output_accepts_a_new_or_empty_folder_and_writes_nothing_yet(tmp_path):
    for folder in (tmp_path, tmp_path / "new"):
        Output(LocalFolder(str(folder))).claim(overwrite=False, resume=False)
    assert list(tmp_path.iterdir()) == []


def earlier_run(folder):
    for name in (SUCCESS, *FILES, ".model.npz.part"):
        (folder / name).write_text("old")
    (folder / "config.json").write_text('{"partitions": 2, "epochs": 3}')
    for name in FOLDERS:
        (folder / name).mkdir()
        for part in ("part-00000", SUCCESS, ".part-00000.crc", ".part-00000.part", "..part-00000.part.crc"):
            (folder / name / part).write_text("old")


def test_output_overwrite_replaces_only_what_a_run_writes(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    earlier_run(tmp_path)
    output = Output(LocalFolder(str(tmp_path)))
    output.claim(overwrite=True, resume=False)
    output.clear()
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.tex", "config.json"}


def test_output_refuses_a_folder_of_a_runs_name_that_holds_something_else(tmp_path):
    earlier_run(tmp_path)
    (tmp_path / "tests" / "test_mine.py").write_text("mine")
    with pytest.raises(
        UsageError, match="expected only what an earlier run wrote in .*tests, found test_mine.py"
    ):
        Output(LocalFolder(str(tmp_path))).claim(overwrite=True, resume=False)
    assert (tmp_path / "tests" / "part-00000").exists()


def test_output_goes_on_only_with_a_run(tmp_path):
    output = Output(LocalFolder(str(tmp_path)))
    output.claim(overwrite=False, resume=True)  # empty: it begins
    (tmp_path / ".config.json.part").write_text("")
    output.claim(overwrite=False, resume=True)
    output.claim(overwrite=False, resume=False)
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(
        UsageError, match="--resume: expected a run's folder as OUTPUT, found no run's config.json in"
    ):
        output.claim(overwrite=False, resume=True)
    for text in ("{}", "[]", "no JSON", '{"epochs": 3}'):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(UsageError, match="found no run's config.json in .*, but config.json"):
            output.claim(overwrite=False, resume=True)
    (tmp_path / "config.json").write_text('{"partitions": 2, "epochs": 3}')
    output.claim(overwrite=False, resume=True)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "mine.npz").write_text("")
    with pytest.raises(
        UsageError, match="expected only what an earlier run wrote in .*checkpoints, found mine.npz"
    ):
        output.claim(overwrite=False, resume=True)


def test_output_overwrites_no_files_of_a_run_s_names_that_no_run_wrote(tmp_path):
    output = Output(LocalFolder(str(tmp_path)))
    (tmp_path / "thesis.tex").write_text("mine")
    output.claim(overwrite=True, resume=False)  # nothing there would be touched
    for name in ("config.json", "model.npz"):
        (tmp_path / name).write_text('{"model_type": "mine"}')
        with pytest.raises(UsageError, match="--overwrite: expected a run's folder as OUTPUT, .*config.json"):
            output.claim(overwrite=True, resume=False)


def test_output_refuses_a_file_where_a_run_has_a_folder(tmp_path):
    earlier_run(tmp_path)
    (tmp_path / "checkpoints").write_text("mine")
    with pytest.raises(UsageError, match="OUTPUT: expected a folder checkpoints in .*, found a file"):
        Output(LocalFolder(str(tmp_path))).claim(overwrite=True, resume=False)


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
            raise EnvironmentFault("No space left on device")

    class Unreadable(LocalFolder):
        def read(self, name, most):
            raise EnvironmentFault("Input/output error")

    for kind, told in ((FullDisk, "No space left"), (Unreadable, "Input/output")):
        with pytest.raises(EnvironmentFault, match=told):
            Output(kind(str(tmp_path / "a" / "b"))).probe()
        assert list(tmp_path.iterdir()) == []


def test_a_run_whose_configuration_was_being_replaced_is_still_a_run(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "epoch-000001-0123abcd.json").write_text("{}")
    for flag in ("overwrite", "resume"):
        Output(LocalFolder(str(tmp_path))).claim(**{"overwrite": False, "resume": False, flag: True})
    (tmp_path / "config.json").write_text('{"of": "another program"}')
    with pytest.raises(UsageError, match="found no run's config.json"):
        Output(LocalFolder(str(tmp_path))).claim(overwrite=True, resume=False)


def test_a_configuration_that_says_the_same_is_not_written_again(tmp_path):
    output = Output(LocalFolder(str(tmp_path)))
    output.write_config({"epochs": 3})
    before = (tmp_path / "config.json").stat()
    output.write_config({"epochs": 3})
    assert (tmp_path / "config.json").stat() == before
    output.write_config({"epochs": 4})
    assert output.config() == {"epochs": 4}


def test_clearing_leaves_what_is_not_a_run_s(tmp_path):
    (tmp_path / "tests").mkdir()
    for name in ("part-00000", "mine.txt"):
        (tmp_path / "tests" / name).write_text("")
    Output(LocalFolder(str(tmp_path))).clear()
    assert [path.name for path in (tmp_path / "tests").iterdir()] == ["mine.txt"]


def test_output_tells_a_place_that_cannot_be_written_before_the_run(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        EnvironmentFault, match="cannot use .*file/out as OUTPUT: .*file cannot be written to"
    ):
        Output(LocalFolder(str(tmp_path / "file" / "out"))).claim(overwrite=False, resume=False)


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
    output.write_history(HISTORY)
    assert lines(tmp_path) == 2
    output.finish_history()
    assert lines(tmp_path) == 3
