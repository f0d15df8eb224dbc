"""Files on any file system that Spark reaches: whole or not at all, sorted, and told in one line when missing."""

import gzip
import os
import time
from types import SimpleNamespace

import numpy as np
import pytest

from nn.core.errors import DataError, PlatformError, UsageError
from nn.spark.runtime import errors
from nn.spark.storage import hadoop, lock_file, paths
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.hadoop import BYTES_PER_CALL, Hadoop, HadoopFolder
from nn.spark.storage.local import LocalFolder
from nn.spark.storage.lock import locked, refuse_running

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
    assert folder.names("a") == ["b"] and folder.names("d") == []
    with pytest.raises(UsageError, match="expected a folder c in .*, found a file"):
        folder.names("c")
    for name in ("a/b", "a", "c", "never-there"):
        folder.remove(name)
    assert folder.names() == []


def test_folder_creates_a_file_where_there_is_none_and_rewrites_it_in_its_place(folder):
    assert folder.modified("_RUNNING") is None and folder.head("_RUNNING", 9) is None
    assert folder.create("_RUNNING", b"first")
    assert not folder.create("_RUNNING", b"second")
    assert folder.read("_RUNNING", 10) == b"first" and folder.head("_RUNNING", 3) == b"fir"
    before = folder.modified("_RUNNING")
    assert abs(before - time.time()) < 60
    time.sleep(0.05)
    folder.rewrite("_RUNNING", b"other")
    assert folder.read("_RUNNING", 10) == b"other" and folder.modified("_RUNNING") > before
    assert folder.names() == ["_RUNNING"]


def test_what_must_be_known_before_each_change_is(folder):
    def refuse():
        raise PlatformError("lost")

    folder.write("a", b"")
    folder.before_change = refuse
    for change in (lambda: folder.write("b", b""), lambda: folder.remove("a")):
        with pytest.raises(PlatformError, match="^lost$"):
            change()
    assert folder.names() == ["a"]


def test_one_run_at_a_time_writes_to_a_folder(folder, tmp_path):
    with locked(folder, lambda: None, False, print):
        folder.write("history.csv", b"")
        assert folder.names() == ["_RUNNING", "history.csv"]
        refusal = f"another run writes to {folder.path}: process {os.getpid()} on"
        with pytest.raises(UsageError, match=refusal), locked(folder, lambda: None, True, print):
            pass
        folder.remove("history.csv")
    assert list((tmp_path / "disk").iterdir()) == []


def test_a_mark_whose_process_is_dead_or_unknown_is_replaced_by_its_age(folder, tmp_path):
    here = lock_file.this_machine()
    for left in (lock_file.this_process(here)._replace(started=1).to_bytes(), b"damaged"):
        folder.create("_RUNNING", left)
        if left == b"damaged":
            with pytest.raises(UsageError, match="_RUNNING names no process; _RUNNING was last written 0 s"):
                refuse_running(folder)
            os.utime(tmp_path / "disk" / "out" / "_RUNNING", (time.time() - 130,) * 2)
        with locked(folder, lambda: None, False, print):
            assert lock_file.from_bytes(folder.read("_RUNNING", 1000)).process == os.getpid()
        assert folder.names() == []


def test_a_file_in_a_folder_s_place_is_told(folder, storage):
    folder.write("c", b"")
    with pytest.raises(PlatformError, match="cannot use .*out/c as OUTPUT: it is a file"):
        storage.folder(f"{folder.path}/c").names()


def test_what_a_file_system_does_not_remove_is_told():
    file_system = SimpleNamespace(exists=lambda target: True, delete=lambda target, deep: False)
    folder = HadoopFolder(SimpleNamespace(locate=lambda path: (file_system, path)), "x://out")
    with pytest.raises(PlatformError, match="^cannot remove x://out/_SUCCESS: its file system keeps it$"):
        folder.remove("_SUCCESS")


def test_a_file_whose_removal_was_not_answered_counts_as_removed():
    answers = iter([True, False])
    file_system = SimpleNamespace(exists=lambda target: next(answers), delete=lambda target, deep: False)
    folder = HadoopFolder(SimpleNamespace(locate=lambda path: (file_system, path)), "x://out")
    folder.remove("_SUCCESS")
    assert next(answers, None) is None


def test_storage_reads_on_in_a_file_packed_or_not(folder, storage):
    for name, content in (("a.csv", b"abcdef"), ("a.csv.gz", gzip.compress(b"abcdef"))):
        folder.write(name, content)
        with storage.open(f"{folder.path}/{name}") as read:
            assert [read(4), read(4), read(4)] == [b"abcd", b"ef", b""]


@pytest.mark.parametrize("folder", ["viewfs"], indirect=True)
def test_bytes_that_do_not_fit_the_checksums_of_the_file_system_are_damage(folder, tmp_path):
    folder.write("model.npz", b"abcdef")
    (tmp_path / "disk" / "out" / "model.npz").write_bytes(b"abcdeg")
    with pytest.raises(ValueError, match="^its file system finds it damaged: .*[Cc]hecksum"):
        folder.read("model.npz", 100)


def test_folder_removes_no_folder_that_holds_something(folder):
    folder.write("a/b", b"kept")
    with pytest.raises(PlatformError, match="cannot remove .*out/a: "):
        folder.remove("a")
    assert folder.names("a") == ["b"]


def test_storage_reads_small_files_back(folder, storage):
    folder.write("dataset.json", b"\x00\xff{}")
    assert storage.read(f"{folder.path}/dataset.json", 4) == b"\x00\xff{}"
    assert storage.read(f"{folder.path}/none.json", 4) is None
    for read in (storage.read, lambda path, most: folder.read("dataset.json", most)):
        with pytest.raises(ValueError, match="expected at most 3 bytes, found 4"):
            read(f"{folder.path}/dataset.json", 3)


@pytest.mark.parametrize("size", [0, BYTES_PER_CALL - 1, BYTES_PER_CALL, 2 * BYTES_PER_CALL + 5])
def test_large_files_come_back_as_they_were(folder, size):
    content = np.random.default_rng(size).bytes(size)
    folder.write("large", content)
    assert folder.read("large", size) == content


def test_folders_that_were_missing_are_dropped_again(folder):
    inner = type(folder)(
        *([f"{folder.path}/a/b"] if folder.is_local else [folder._hadoop, f"{folder.path}/a/b"])
    )
    folder.write("kept", b"")
    missing = inner.missing()
    assert [each.rpartition("/")[2] for each in missing] == ["b", "a"]
    inner.write("x", b"")
    inner.drop(missing)  # not empty
    assert inner.names() == ["x"]
    inner.remove("x")
    inner.drop(missing)
    assert folder.names() == ["kept"] and inner.missing() == missing


def test_a_write_that_is_cut_short_shows_nothing_under_the_final_name(folder, monkeypatch):
    if folder.is_local:
        pytest.skip("the operating system's files have a test of their own")
    folder.write("config.json", b"old")
    monkeypatch.setattr(hadoop, "BYTES_PER_CALL", 1)
    with pytest.raises(KeyboardInterrupt):
        folder.write("config.json", Interrupting(b"new"))
    assert folder.read("config.json", 9) == b"old"


class Store:
    """A file system, its file, and what was done with it. `abilities` are Hadoop's names of what it can do."""

    def __init__(self, scheme, *abilities):
        self.done = []
        self.getUri = lambda: SimpleNamespace(getScheme=lambda: scheme)
        self.hasCapability = lambda name: name in abilities
        self.hasPathCapability = lambda path, name: name in abilities

    def create(self, target, overwrite):
        return self

    def write(self, part):
        self.done.append(bytes(part))

    def __getattr__(self, name):
        return lambda: self.done.append(name)


@pytest.mark.parametrize(
    ("store", "whole", "cut_short"),
    [
        (Store("gs"), ["close"], ["abort"]),
        (Store("gs", hadoop.FLUSHED), ["close"], ["abort"]),
        (Store("of-another-name", hadoop.ABORTABLE), ["close"], ["abort"]),
        (Store("hdfs", hadoop.FLUSHED), ["hsync", "close"], ["close"]),
        (Store("abfs"), ["close"], ["close"]),
    ],
    ids=["known by its name", "flushed in vain", "known by what it can do", "flushed", "not flushed"],
)
def test_a_file_is_ended_as_its_store_can(store, whole, cut_short):
    hadoop._create(store, None, b"whole", overwrite=False)
    assert store.done == [b"whole", *whole]
    store.done.clear()
    with pytest.raises(KeyboardInterrupt):
        hadoop._create(store, None, Interrupting(bytes(2 * BYTES_PER_CALL)))
    assert [each for each in store.done if isinstance(each, str)] == cut_short


@pytest.mark.parametrize(("scheme", "removed"), [("hdfs", True), ("gs", False)])
@pytest.mark.parametrize("call", ["write", "close"])
def test_a_new_file_that_could_not_be_written_is_told_and_leaves_nothing(scheme, removed, call):
    store, there = Store(scheme), []
    setattr(store, call, lambda *part: there.append("file") or 1 / 0)
    store.exists = lambda target: bool(there) and scheme == "hdfs"
    store.delete = lambda target, deep: there.clear()
    folder = HadoopFolder(hadoop.Hadoop.__new__(hadoop.Hadoop), "x://out")
    folder._hadoop.locate = lambda path: (store, path)
    with pytest.raises(PlatformError, match="^cannot write x://out/_RUNNING: .*division by zero"):
        folder.create("_RUNNING", b"content")
    assert (there == []) == removed


def test_a_new_file_is_created_on_a_condition_where_its_store_knows_one():
    store, asked = Store("s3a", hadoop.CONDITIONAL), []

    class Builder:
        def __getattr__(self, name):
            return lambda *words: asked.append((name, *words)) or (store if name == "build" else self)

    store.createFile = lambda path: Builder()
    hadoop._create(store, None, b"new", overwrite=False)
    assert asked == [("recursive",), ("overwrite", False), ("opt", hadoop.CONDITIONAL, True), ("build",)]
    assert store.done == [b"new", "close"]


class Interrupting(bytes):
    """Bytes whose second slice is never had, as when Ctrl-C strikes."""

    def __getitem__(self, target):
        if target.start:
            raise KeyboardInterrupt
        return super().__getitem__(target)


def test_a_file_system_without_overwriting_renames_is_written_to_as_well(folder, storage, spark):
    if folder.is_local:
        pytest.skip("the operating system's renames overwrite")
    older = Hadoop(spark)
    older._configuration = spark._jvm.org.apache.hadoop.conf.Configuration(older._configuration)
    older._configuration.unset("fs.AbstractFileSystem.viewfs.impl")
    for content in (b"one", b"two"):
        HadoopFolder(older, folder.path).write("config.json", content)
        assert folder.read("config.json", 9) == content
    assert [name for name in folder.names() if not name.endswith(".crc")] == ["config.json"]


def test_storage_lists_a_folder_sorted_and_without_hidden_files(folder, storage):
    for name in ("part-2", "part-10", "part-1", "_SUCCESS", ".part-1.crc", "deeper/part-3"):
        folder.write(name, b"12")
    files, _ = storage.list_files(folder.path, "TRAIN_IMAGES")
    assert [os.path.basename(file.path) for file in files] == ["part-1", "part-10", "part-2"]
    assert {file.size for file in files} == {2}
    globbed, _ = storage.list_files(f"{folder.path}/part-?", "TRAIN_IMAGES")
    assert [os.path.basename(file.path) for file in globbed] == ["part-1", "part-2"]


def test_a_glob_matches_no_hidden_folders_and_no_file_twice(storage, tmp_path):
    for name in (".ipynb_checkpoints", "_temporary", "_x=1", ".home/a"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "x.csv").write_text("1,2\n")

    def names(path):
        return [file.path.rpartition(f"{tmp_path}/")[2] for file in storage.list_files(path, "X")[0]]

    assert names(f"{tmp_path}/*") == names(f"{tmp_path}/*/*.csv") == ["_x=1/x.csv"]  # as Spark's readers do
    assert names(f"{tmp_path}/.home/*") == [".home/a/x.csv"]
    assert names(f"{tmp_path}/_temporary") == ["_temporary/x.csv"]
    with pytest.raises(DataError, match="names that start with _ or . do not count"):
        storage.list_files(f"{tmp_path}/_temp*", "X")
    assert storage.list_tree(str(tmp_path), "X")[0][0].path.endswith("_x=1/x.csv")
    for name in "ab":
        (tmp_path / f"tree/{name}/k=1").mkdir(parents=True)
        (tmp_path / f"tree/{name}/k=1/x.csv").write_text("1,2\n")
    assert len(storage.list_tree(f"{tmp_path}/tree/*", "X")[0]) == 2


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/nowhere/at/all", "X: no such file or folder: /nowhere/at/all"),
        ("/nowhere/*.csv", "X: no such file or folder"),
        ("hdfs:///a", "X: cannot use 'hdfs:///a': Incomplete HDFS URI, no host: hdfs:///a"),
        ("a,b", "X: expected one path without commas, found 'a,b'"),
        ("", "X: expected one path without commas, found ''"),
        ("[", "X: "),
    ],
)
def test_storage_tells_in_one_line_what_it_cannot_list(storage, path, message):
    with pytest.raises(DataError) as caught:
        storage.list_files(path, "X")
    assert str(caught.value).startswith(message) and "\n" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["nofs", "s3a"])  # one that Spark has no name for, and no class
def test_a_file_system_without_a_connector_is_a_fault_of_the_environment(storage, scheme):
    path = f"{scheme}://bucket/a"
    line = f"this Spark has no connector for {scheme}:// ({path}): add one with --packages or --jars, or "
    for open_it, argument, cure in (
        (
            lambda: storage.list_files(path, "TRAIN_IMAGES"),
            "TRAIN_IMAGES",
            "copy the data to this machine first",
        ),
        (lambda: storage.folder(path), "OUTPUT", "name a folder of this machine"),
    ):
        with pytest.raises(PlatformError) as caught:
            open_it()
        assert str(caught.value) == f"{argument}: {line}{cure}"


def test_a_class_that_a_connector_lacks_is_the_connector_s_lack():
    error = SimpleNamespace(
        java_exception=SimpleNamespace(
            getMessage=lambda: "com/amazonaws/AmazonClientException",
            getClass=lambda: SimpleNamespace(getName=lambda: "java.lang.NoClassDefFoundError"),
        )
    )
    assert "no connector for s3a://" in str(errors.translate(error, "s3a://b/x", "TEST_LABELS"))
    assert errors.translate(error) is None
    assert errors.translate(ValueError("No FileSystem for scheme"), "x:/y", "TEST_LABELS") is None


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("a:b.csv", 'Spark takes "a" in a:b.csv for the scheme of a file system; rename the file'),
        (":x", 'Spark takes "" in :x for the scheme of a file system; rename the file'),
        (
            "C:/data/x.csv",
            'Spark takes "C" in C:/data/x.csv for the scheme of a file system; rename the file',
        ),
        ("file:x.csv", "expected a path, or file:///full/path, found file:x.csv"),
        ("file://data/x.csv", "expected a path, or file:///full/path, found file://data/x.csv"),
        ("./a:b.csv", "expected names without a colon, which Spark cannot read, found ./a:b.csv; rename"),
        (
            "file:/d:e/x.csv",
            "expected names without a colon, which Spark cannot read, found file:/d:e/x.csv;",
        ),
    ],
)
def test_a_path_that_spark_would_take_for_another_is_refused(path, line):
    with pytest.raises(UsageError) as caught:
        paths.refuse_malformed(path, "TRAIN_IMAGES")
    assert str(caught.value).startswith(f"TRAIN_IMAGES: {line}")


def test_a_colon_in_the_name_of_output_is_fine_after_a_slash(storage, tmp_path):
    with pytest.raises(
        UsageError, match='^OUTPUT: Spark takes "a" in a:b .*; for a folder of that name write ./a:b$'
    ):
        paths.refuse_malformed("a:b", "OUTPUT")
    paths.refuse_malformed("./a:b", "OUTPUT")
    folder = storage.folder(f"{tmp_path}/a:b")
    folder.write("x", b"1")
    assert (tmp_path / "a:b" / "x").read_bytes() == b"1"


@pytest.mark.parametrize(
    "path", ["x.csv", "/a/x.csv", "file:///a/x.csv", "file:/a", "gs://b/a:b", "hdfs:/x", "-", ""]
)
def test_other_paths_are_left_to_spark(path):
    for argument in ("TRAIN_IMAGES", "OUTPUT"):
        paths.refuse_malformed(path, argument)


@pytest.mark.parametrize("path", ["s3a://KEY:SECR/ET@bucket/x.csv", "https://me:SECRET@bucket/x.csv"])
@pytest.mark.parametrize("argument", ["TRAIN_IMAGES", "OUTPUT"])
def test_a_password_in_a_path_is_refused_and_not_repeated(path, argument):
    with pytest.raises(UsageError, match=f"^{argument}: .* without a password") as caught:
        paths.refuse_malformed(path, argument)
    assert "SECR" not in str(caught.value) and "...@bucket/x.csv" in str(caught.value)
    for harmless in ("abfs://container@account/x.csv", "hdfs://host:8020/a@b.csv"):
        paths.refuse_malformed(harmless, argument)


def test_a_web_page_is_no_input_and_no_output():
    with pytest.raises(PlatformError) as caught:
        paths.refuse_malformed("https://host/x.csv", "TEST_IMAGES")
    assert str(caught.value) == (
        "TEST_IMAGES: Spark cannot read https:// (https://host/x.csv): download the file first"
    )
    with pytest.raises(PlatformError, match="^OUTPUT: Spark cannot write to http:// "):
        paths.refuse_malformed("http://host/out", "OUTPUT")


@pytest.mark.parametrize("name", ["d/a:b.csv", "d?e/x.csv", "d/a*.csv"])
def test_a_name_with_a_colon_that_spark_finds_by_itself_is_refused(storage, tmp_path, name):
    for folder, file in (("d", "a:b.csv"), ("d:e", "x.csv")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text("1\n")
    where = tmp_path / ("d" if name == "d/a:b.csv" else name)
    with pytest.raises(
        UsageError, match="^X: expected names without a colon, which Spark cannot read, found .*:"
    ):
        storage.list_files(str(where), "X")


def test_folder_tells_where_it_cannot_write(storage, tmp_path):
    (tmp_path / "file").write_text("in the way")
    folder = storage.folder(str(tmp_path / "file" / "out"))
    with pytest.raises(PlatformError, match="cannot write .*file/out/history.csv: Not a directory"):
        folder.write("history.csv", b"")
    with pytest.raises(PlatformError, match="cannot use .* as OUTPUT: it is a file"):
        storage.folder(str(tmp_path / "file")).names()
