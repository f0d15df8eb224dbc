"""OUTPUT: by what a run's folder and files are known, and what is refused."""

import json
import shutil

import numpy as np
import pytest

from nn.cli import ownership, parser
from nn.core.errors import PlatformError, UsageError
from nn.spark.storage.filesystem import LocalFolder
from nn.spark.storage.run_directory import FILES, FOLDERS, SUCCESS, Output
from nn.training.assembly import for_replicas
from tests.support import ROOT

RUN = ROOT / "tests" / "io" / "version_0_1_0" / "output"
CONFIG = (RUN / "config.json").read_text()


def check(folder, *flags):
    ownership.check(Output(LocalFolder(str(folder))), "overwrite" in flags, "resume" in flags)


def earlier_run(folder):
    """What a run leaves in a folder, with what a write that was cut short may leave."""
    shutil.copytree(RUN, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("checkpoints"))
    (folder / ".model.npz.part").write_text("old")
    for name in FOLDERS:
        for part in (".part-00000.crc", ".part-00000.part", "..part-00000.part.crc"):
            (folder / name / part).write_text("old")


def test_a_folder_that_holds_anything_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(
        UsageError,
        match="expected a folder that is new or empty, found thesis.tex in .*--resume goes on .*--overwrite",
    ):
        check(tmp_path)


def test_a_new_or_empty_folder_is_accepted_and_nothing_is_written_yet(tmp_path):
    for folder in (tmp_path, tmp_path / "new"):
        check(folder)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PlatformError, match="cannot use .*file/out as OUTPUT: .*file is no folder"):
        check(tmp_path / "file" / "out")


@pytest.mark.parametrize("flag", ["overwrite", "resume"])
def test_a_run_of_version_0_1_0_is_known(tmp_path, flag):
    earlier_run(tmp_path)
    check(tmp_path, flag)


def test_overwriting_replaces_only_what_a_run_writes(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    earlier_run(tmp_path)
    check(tmp_path, "overwrite")
    Output(LocalFolder(str(tmp_path))).clear()
    assert {path.name for path in tmp_path.iterdir()} == {"thesis.tex", "config.json"}


@pytest.mark.parametrize("name", ["tests/test_mine.py", "cost_history/part-00001", "checkpoints/mine.npz"])
def test_a_folder_of_a_run_that_holds_something_else_is_refused(tmp_path, name):
    earlier_run(tmp_path)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("1\n")
    folder, _, file = name.partition("/")
    with pytest.raises(
        UsageError, match=f"expected only what an earlier run wrote in .*{folder}, found {file}"
    ):
        check(tmp_path, "overwrite")
    assert (tmp_path / "tests" / "part-00000").exists()


def test_a_file_where_a_run_has_a_folder_is_refused(tmp_path):
    earlier_run(tmp_path)
    (tmp_path / "checkpoints").write_text("mine")
    with pytest.raises(UsageError, match="OUTPUT: expected a folder checkpoints in .*, found a file"):
        check(tmp_path, "overwrite")


def test_resuming_takes_no_other_folder_and_begins_in_an_empty_one(tmp_path):
    check(tmp_path, "resume")
    (tmp_path / ".config.json.part").write_text("")
    check(tmp_path, "resume")
    check(tmp_path)
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(
        UsageError, match="--resume: expected a run's folder as OUTPUT, found no run's config.json in"
    ):
        check(tmp_path, "resume")
    check(tmp_path, "overwrite")  # nothing there would be touched


def configuration(**changes):
    """That of a run, with other values; {} leaves a key out."""
    return json.dumps({key: value for key, value in {**json.loads(CONFIG), **changes}.items() if value != {}})


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "no JSON",
        '{"partitions": 2, "epochs": 3}',
        configuration(seed={}),
        configuration(epochs="ten"),
        configuration(learning_rate=-1),
        configuration(optimizer="lion"),
        configuration(model_type="bert"),
        configuration(overwrite=True),
        configuration(sample=0.5, batch_size=100),
    ],
)
@pytest.mark.parametrize("flag", ["overwrite", "resume"])
def test_a_configuration_that_no_run_wrote_makes_no_run_s_folder(tmp_path, text, flag):
    for name in ("config.json", "model.npz"):
        (tmp_path / name).write_text(text)
        with pytest.raises(
            UsageError, match=f"--{flag}: .* found no run's config.json in .*, but config.json"
        ):
            check(tmp_path, flag)


def test_the_configuration_of_every_recipe_is_known():
    paths = ["a", "b", "c", "d", "out"]
    of_tables = ["--task", "regression", "--missing", "mean", "--categorical", "a,b", "--max-categories", "9"]
    of_tables += ["--unknown", "error", "--scale", "minmax", "--loss", "huber:0.5"]
    words = [
        paths,
        [*paths, *of_tables],
        *([*paths, "--config", str(p)] for p in ROOT.glob("recipes/*.json")),
    ]
    assert len(words) > 4
    for command_line in words:
        options = parser.parse(command_line).for_cluster(3)
        resolved = options.with_recipe(for_replicas(options.recipe, 100_000, 20)).resolved()
        assert ownership.is_configuration(json.loads(json.dumps(resolved))), command_line
        assert resolved.keys() >= ownership.ALWAYS


def test_a_run_whose_configuration_is_being_replaced_or_empty_is_known_by_a_checkpoint(tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "epoch-000001-0123abcd.json").write_text("{}")
    for flag in ("overwrite", "resume"):
        check(tmp_path, flag)
        (tmp_path / "config.json").write_text("")
        check(tmp_path, flag)
    (tmp_path / "config.json").write_text('{"of": "another program"}')
    with pytest.raises(UsageError, match="found no run's config.json"):
        check(tmp_path, "overwrite")


STRANGE = {
    SUCCESS: b'{"committer": "magic"}',
    "history.csv": b"date,event\n1914,war\n",
    "confusion_matrix.csv": b"1,2\n3,4\n",
    "examples.csv": b"text,label\n",
    "predicted.csv": b"row,predicted\n",
    "summary.json": b'{"summary": "mine"}',
    "model.npz": b"PK mine",
    "model.md": b"# Model card\n",
    "cost_history/part-00000": b"cost 1\n",
    "accuracy_history/part-00000": b"\xff\n",
    "metrics/part-00000": b"f1 0.5\n",
    "tests/part-00000": b"assert True\n",
    "tests/_SUCCESS": b"all tests passed",
}


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("flag", ["overwrite", "resume"])
def test_a_file_in_a_run_s_folder_that_no_run_wrote_is_named_and_stays(tmp_path, name, flag):
    earlier_run(tmp_path)
    (tmp_path / name).write_bytes(STRANGE[name])
    with pytest.raises(
        UsageError, match=f"--{flag}: expected a file that a run wrote as .*/{name}, found another; move"
    ):
        check(tmp_path, flag)


@pytest.mark.parametrize("name", ["model.npz", "history.csv", "summary.json", "tests/part-00000"])
def test_a_file_that_was_cut_short_is_still_a_run_s(tmp_path, name):
    earlier_run(tmp_path)
    whole = (tmp_path / name).read_bytes()
    for size in (0, len(whole) // 2):
        (tmp_path / name).write_bytes(whole[:size])
        check(tmp_path, "overwrite")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("examples.csv", "row,actual,prediction,error,x0\n3,12.0,8.0,-4.0,0.5\n"),
        ("predicted.csv", "row,actual,predicted\n3,12.0,8.0\n"),
        ("confusion_matrix.csv", 'truth\\prediction,"a, b",c\n"a, b",1,0\nc,0,1\n'),
    ],
)
def test_files_of_a_regression_and_of_named_classes_are_a_run_s(tmp_path, name, content):
    earlier_run(tmp_path)
    (tmp_path / name).write_text(content)
    check(tmp_path, "overwrite")
    Output(LocalFolder(str(tmp_path))).clear()
    assert not (tmp_path / name).exists()


def test_an_archive_of_another_program_is_no_model(tmp_path):
    earlier_run(tmp_path)
    for arrays in ({"W": np.ones(3)}, {"config": np.array("hidden: 64")}):
        np.savez(tmp_path / "model.npz", **arrays)
        with pytest.raises(UsageError, match="model.npz, found another"):
            check(tmp_path, "overwrite")


def test_every_file_that_a_run_replaces_is_looked_at():
    assert {name for name in ownership.BEGINNINGS if "/" not in name} == {SUCCESS, *FILES} - {"config.json"}
    assert {name.partition("/")[0] for name in ownership.BEGINNINGS if "/" in name} == set(FOLDERS)
