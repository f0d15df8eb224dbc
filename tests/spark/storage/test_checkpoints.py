"""Checkpoints in OUTPUT: which stay, which are believed, and which one a run goes on from."""

import json

import numpy as np
import pytest

from nn.core.errors import DataError, PlatformError
from nn.io.checkpoint import Checkpoint
from nn.spark.storage.checkpoints import Checkpoints, is_ours
from nn.spark.storage.filesystem import LocalFolder
from nn.training.records import Epoch, Progress


def point(epoch, cost=1.0, seconds=0.1):
    """A checkpoint after so many epochs, the last of that cost."""
    history = tuple(
        Epoch(n, 9.0 if n < epoch else cost, 0.5, 0.1, True, 7, seconds) for n in range(1, epoch + 1)
    )
    return Checkpoint(Progress({"trial": [{"W": np.full(4, float(epoch))}]}, history), {}, {}, {})


def kept_by(path, keep=2):
    return Checkpoints(LocalFolder(str(path)), keep)


def write(checkpoints, *points):
    """As a run does."""
    for each in points:
        checkpoints.write(each)
        checkpoints.sweep()


def left(path):
    return sorted(each.name for each in (path / "checkpoints").iterdir())


def epochs_left(path):
    return sorted({int(name.split("-")[1]) for name in left(path)})


def damage(path, epoch, ending=".npz"):
    """Change one byte of an epoch's file."""
    (file,) = (path / "checkpoints").glob(f"epoch-{epoch:06}-*{ending}")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(bytes(content))
    return file


def test_the_last_ones_and_the_best_stay(tmp_path):
    checkpoints = kept_by(tmp_path)
    for epoch, cost in enumerate([5.0, 2.0, 4.0, 4.5, 3.0], 1):
        write(checkpoints, point(epoch, cost))
    assert epochs_left(tmp_path) == [2, 4, 5] and len(left(tmp_path)) == 6
    write(checkpoints, point(6, 1.0))
    assert epochs_left(tmp_path) == [5, 6]


def test_the_newest_is_found_again_and_later_ones_join_it(tmp_path):
    for epoch, cost in ((1, 2.0), (2, 1.0), (3, 3.0), (4, 4.0)):
        folder_checkpoints = kept_by(tmp_path)
        loaded = folder_checkpoints.newest()
        assert (loaded.epoch if loaded else 0) == epoch - 1 and folder_checkpoints.refused == []
        write(folder_checkpoints, point(epoch, cost))
    assert epochs_left(tmp_path) == [2, 3, 4]
    assert np.array_equal(kept_by(tmp_path).newest().progress.state["trial"][0]["W"], np.full(4, 4.0))


def test_nothing_is_found_where_no_manifest_was_written(tmp_path):
    folder_checkpoints = kept_by(tmp_path)
    assert folder_checkpoints.newest() is None
    write(folder_checkpoints, point(3))
    (manifest,) = (tmp_path / "checkpoints").glob("*.json")
    manifest.unlink()
    assert kept_by(tmp_path).newest() is None


@pytest.mark.parametrize(
    ("ending", "reason"),
    [(".npz", "its bytes are not those that its manifest's SHA-256 was taken of"), (".json", "manifest")],
)
def test_a_damaged_one_is_named_and_the_one_before_it_used(tmp_path, ending, reason):
    folder_checkpoints = kept_by(tmp_path)
    for epoch in (1, 2, 3):
        write(folder_checkpoints, point(epoch, cost=4.0 - epoch))
    file = damage(tmp_path, 3, ending)
    if ending == ".json":
        file.write_bytes(b"{" + file.read_bytes())
    again = kept_by(tmp_path)
    assert again.newest().epoch == 2
    assert len(again.refused) == 1 and reason in again.refused[0].why
    assert str(file.with_suffix(".npz")) in again.refused[0].why and "\n" not in again.refused[0].why
    write(again, point(3))
    assert kept_by(tmp_path).newest().epoch == 3 and epochs_left(tmp_path) == [2, 3]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda file: file.unlink(), "its manifest is there, the file is not"),
        (
            lambda file: file.write_bytes(file.read_bytes()[:-9]),
            r"expected \d+ bytes as its manifest says, found",
        ),
        (lambda file: file.write_bytes(b""), r"expected \d+ bytes as its manifest says, found 0"),
    ],
)
def test_where_none_can_be_read_the_user_must_decide(tmp_path, change, reason):
    write(kept_by(tmp_path), point(1))
    (file,) = (tmp_path / "checkpoints").glob("*.npz")
    change(file)
    with pytest.raises(DataError, match=f"{reason}.*; no checkpoint can be read, --overwrite starts anew"):
        kept_by(tmp_path).newest()


def test_one_with_parameters_that_are_not_finite_is_named_and_the_one_before_it_used(tmp_path):
    lost = point(3)
    lost.progress.state["trial"][0]["W"][2] = np.nan
    write(kept_by(tmp_path), point(2), lost)
    again = kept_by(tmp_path)
    assert again.newest().epoch == 2
    (refused,) = again.refused
    assert refused.is_damaged and refused.why.endswith("state.trial.0.W: expected finite numbers, found nan")


def test_a_name_that_lies_about_its_epoch_is_not_believed(tmp_path):
    write(kept_by(tmp_path), point(1))
    for file in (tmp_path / "checkpoints").iterdir():
        file.rename(file.with_name(file.name.replace("epoch-000001", "epoch-000009")))
    with pytest.raises(DataError, match="expected epoch 9 in its manifest, found 1"):
        kept_by(tmp_path).newest()
    (file,) = (tmp_path / "checkpoints").glob("*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "epoch": 9}))
    with pytest.raises(DataError, match="expected epoch 9 as its name says, found 1"):
        kept_by(tmp_path).newest()


@pytest.mark.parametrize("cost", [10**400, "x", None, True, [1]])
def test_a_manifest_s_cost_may_be_anything(tmp_path, cost):
    write(kept_by(tmp_path), point(1))
    (file,) = (tmp_path / "checkpoints").glob("*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "cost": cost}))
    assert kept_by(tmp_path).newest().epoch == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bytes": "many"}, "expected a whole number as bytes in its manifest"),
        ({"epoch": 1.0}, "expected a whole number as epoch in its manifest"),
        ({"bytes": -5}, "expected a whole number as bytes in its manifest"),
        ({"bytes": 10**400}, "expected a whole number as bytes in its manifest"),
        ({"bytes": 10}, "expected at most 10 bytes, found"),
        ({"bytes": 10**9}, "expected 1000000000 bytes as its manifest says, found"),
        (
            {"bytes": 1 << 61},
            f"expected {1 << 61} bytes as its manifest says, found",
        ),  # no memory is taken for them
        ({"more": "x" * (1 << 17)}, "expected at most 65,536 bytes, found"),
    ],
)
def test_a_manifest_that_lies_is_named_and_the_one_before_used(tmp_path, changed, message):
    checkpoints = kept_by(tmp_path)
    write(checkpoints, point(1))
    write(checkpoints, point(2))
    (file,) = (tmp_path / "checkpoints").glob("epoch-000002-*.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), **changed}))
    again = kept_by(tmp_path)
    assert again.newest().epoch == 1
    (refused,) = again.refused
    assert message in refused.why and "epoch-000002" in refused.why and refused.is_damaged


def test_a_file_that_is_not_as_large_as_promised_is_not_read_whole(tmp_path):
    write(kept_by(tmp_path), point(1))
    for ending in ("npz", "json"):
        (file,) = (tmp_path / "checkpoints").glob(f"*.{ending}")
        with open(file, "r+b") as opened:
            opened.truncate(1 << 40)  # a tebibyte of nothing
        with pytest.raises(DataError, match="expected at most .* bytes, found 1,099,511,627,776"):
            kept_by(tmp_path).newest()
        with open(file, "r+b") as opened:
            opened.truncate(0)


def test_a_manifest_of_another_format_is_not_believed(tmp_path):
    write(kept_by(tmp_path), point(1))
    (file,) = (tmp_path / "checkpoints").glob("*.json")
    for content in ({**json.loads(file.read_text()), "format": 2}, [1], None):
        file.write_text(json.dumps(content))
        with pytest.raises(DataError, match="expected a manifest of format 1"):
            kept_by(tmp_path).newest()


def test_leftovers_of_writes_cut_short_are_swept_and_foreign_files_stay(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    for name in (".epoch-000002-0123abcd.npz.part", "epoch-000002-0123abcd.npz", "mine.txt"):
        (folder / name).write_text("")
    write(kept_by(tmp_path), point(3))
    assert epochs_left_without(folder, "mine.txt") == {3}
    kept_by(tmp_path).clear()
    assert left(tmp_path) == ["mine.txt"]
    (folder / "mine.txt").unlink()
    kept_by(tmp_path).clear()
    assert not folder.exists()


def epochs_left_without(folder, foreign):
    names = {path.name for path in folder.iterdir()}
    assert foreign in names
    return {int(name.split("-")[1]) for name in names - {foreign}}


def test_a_checkpoint_written_a_second_time_takes_the_place_of_the_first(tmp_path):
    folder_checkpoints = kept_by(tmp_path)
    write(folder_checkpoints, point(2, seconds=0.1))
    write(folder_checkpoints, point(2, seconds=0.2))
    assert len(left(tmp_path)) == 2


@pytest.mark.parametrize("fails_at", [".npz", ".json"])
def test_a_write_that_fails_leaves_the_one_before_it(tmp_path, fails_at):
    class FullDisk(LocalFolder):
        def write(self, name, content):
            if name.endswith(fails_at):
                raise PlatformError(f"cannot write {name}: No space left on device")
            super().write(name, content)

    write(kept_by(tmp_path), point(1))
    full = Checkpoints(FullDisk(str(tmp_path)), 1)
    full.newest()
    with pytest.raises(PlatformError, match="No space left"):
        write(full, point(2))
    assert kept_by(tmp_path).newest().epoch == 1


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("epoch-000001-0123abcd.npz", True),
        ("epoch-1234567-0123abcd.json", True),
        (".epoch-000001-0123abcd.npz.part", True),
        ("..epoch-000001-0123abcd.npz.part.crc", True),
        (".epoch-000001-0123abcd.json.crc", True),
        ("epoch-1-0123abcd.npz", False),
        ("epoch-000001-0123abcd.png", False),
        ("my-epoch-000001-0123abcd.npz", False),
    ],
)
def test_only_names_that_a_run_gives_are_ours(name, ours):
    assert is_ours(name) == ours


class Withheld(LocalFolder):
    """A folder that does not give out the checkpoints of some epochs."""

    def __init__(self, path, *epochs):
        super().__init__(path)
        self.epochs = epochs

    def read(self, name, most):
        if name.endswith(".npz") and int(name.split("-")[1]) in self.epochs:
            raise PlatformError(f"cannot read {name}: Input/output error")
        return super().read(name, most)


def test_one_that_the_disk_does_not_give_out_is_passed_over_and_stays(tmp_path):
    write(kept_by(tmp_path), point(1), point(2))
    again = Checkpoints(Withheld(str(tmp_path), 2), 1)
    assert again.newest().epoch == 1
    (refused,) = again.refused
    assert "Input/output error" in refused.why and not refused.is_damaged and refused.epoch == 2
    write(again, point(3, 0.5))
    assert epochs_left(tmp_path) == [2, 3]


def test_where_the_disk_gives_out_none_nothing_is_called_damaged(tmp_path):
    write(kept_by(tmp_path), point(1), point(2))
    damage(tmp_path, 1)
    reason = "Input/output error; no checkpoint can be read now, --overwrite starts anew$"
    with pytest.raises(PlatformError, match=reason):
        Checkpoints(Withheld(str(tmp_path), 2), 2).newest()
