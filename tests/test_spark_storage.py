"""Files on any file system that Spark reaches: whole or not at all, sorted, and told in one line when missing."""

import os

import pytest

from nn.errors import DataError, EnvironmentFault, UsageError
from nn.spark.storage import HadoopFolder, LocalFolder, Storage

pytestmark = pytest.mark.spark


@pytest.fixture
def storage(spark):
    return Storage(spark)


@pytest.fixture(params=["local", "viewfs"])
def folder(request, spark, storage, tmp_path):
    """OUTPUT on the driver's disk, and on a file system that only Hadoop's classes open."""
    (tmp_path / "disk").mkdir()
    if request.param == "local":
        return storage.folder(str(tmp_path / "disk" / "out"))
    configuration = spark._jsc.hadoopConfiguration()
    mount = f"t{abs(hash(str(tmp_path)))}"
    configuration.set(f"fs.viewfs.mounttable.{mount}.link./data", f"file://{tmp_path}/disk")
    return storage.folder(f"viewfs://{mount}/data/out")


def test_folder_is_the_kind_that_its_path_needs(folder, request):
    kind = LocalFolder if "local" in request.node.name else HadoopFolder
    assert type(folder) is kind


def test_folder_writes_files_whole_and_replaces_them(folder, tmp_path):
    assert folder.names() == []
    folder.write("history.csv", b"one")
    folder.write("cost_history/part-00000", b"1.5\n" * 100_000)
    folder.write("history.csv", b"two")
    assert folder.names() == ["cost_history", "history.csv"]
    disk = tmp_path / "disk" / "out"
    assert (disk / "history.csv").read_bytes() == b"two"
    assert (disk / "cost_history" / "part-00000").read_bytes() == b"1.5\n" * 100_000
    # Hadoop keeps checksums of its own beside files that a viewfs maps to a local disk.
    assert sorted(p.name for p in disk.rglob("*") if p.suffix != ".crc") == [
        "cost_history",
        "history.csv",
        "part-00000",
    ]


def test_folder_removes_files_and_folders(folder):
    folder.write("a/b", b"")
    folder.write("c", b"")
    assert folder.names("a") == ["b"] and folder.names("c") == [] and folder.names("d") == []
    for name in ("a/b", "a", "c", "never-there"):
        folder.remove(name)
    assert folder.names() == []


def test_folder_removes_no_folder_that_holds_something(folder):
    folder.write("a/b", b"kept")
    with pytest.raises(EnvironmentFault, match="cannot remove .*out/a: "):
        folder.remove("a")
    assert folder.names("a") == ["b"]


def test_storage_reads_small_files_back(folder, storage):
    folder.write("dataset.json", b"\x00\xff{}")
    assert storage.read(f"{folder.path}/dataset.json") == b"\x00\xff{}"
    assert storage.read(f"{folder.path}/none.json") is None


def test_storage_lists_a_folder_sorted_and_without_hidden_files(folder, storage):
    for name in ("part-2", "part-10", "part-1", "_SUCCESS", ".part-1.crc", "deeper/part-3"):
        folder.write(name, b"12")
    files = storage.list_files(folder.path, "TRAIN_IMAGES")
    assert [os.path.basename(file.path) for file in files] == ["part-1", "part-10", "part-2"]
    assert {file.size for file in files} == {2}
    globbed = storage.list_files(f"{folder.path}/part-?", "TRAIN_IMAGES")
    assert [os.path.basename(file.path) for file in globbed] == ["part-1", "part-2"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nowhere/at/all", "X: no such file or folder: /nowhere/at/all"),
        ("/nowhere/*.csv", "X: no such file or folder"),
        ("nofs://host/a", "X: cannot list nofs://host/a: No FileSystem for scheme"),
        ("a,b", "X: expected one path without commas, found 'a,b'"),
        ("", "X: expected one path without commas, found ''"),
        ("[", "X: "),
    ],
)
def test_storage_tells_in_one_line_what_it_cannot_list(storage, path, message):
    with pytest.raises(DataError) as caught:
        storage.list_files(path, "X")
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


def test_folder_on_an_unknown_file_system_is_refused(storage):
    with pytest.raises(UsageError, match="cannot use the path 'nofs://host/a'"):
        storage.folder("nofs://host/a")


def test_folder_tells_where_it_cannot_write(storage, tmp_path):
    (tmp_path / "file").write_text("in the way")
    folder = storage.folder(str(tmp_path / "file" / "out"))
    with pytest.raises(EnvironmentFault, match="cannot write .*file/out/history.csv: Not a directory"):
        folder.write("history.csv", b"")
    with pytest.raises(EnvironmentFault, match="cannot use .* as OUTPUT: it is a file"):
        storage.folder(str(tmp_path / "file")).names()
