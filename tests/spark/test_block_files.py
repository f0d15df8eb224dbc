"""Blocks in local files: the same blocks, the same sums, and a way back to Spark's cache where a file is missing."""

import math
import mmap
import os
import subprocess
import sys
import time
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from nn.core import tree
from nn.data.block import Block
from nn.data.local_rdd import local_rdd
from nn.spark import block_files
from nn.spark.aggregate import partition_sum
from nn.spark.backend import SparkBackend, run_jobs
from nn.spark.block_files import FileMissing, read, write
from nn.training.backend import Facts
from nn.training.recipe import Recipe
from nn.training.records import Sums
from nn.training.run import TrainingRun
from tests.support import ROOT
from tests.support.data import blobs

INPUTS, LABELS = blobs(300)
BLOCKS = local_rdd(INPUTS, LABELS, block_rows=30).partitions[0]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Spark's folder for temporary files."""
    monkeypatch.setenv("SPARK_LOCAL_DIRS", str(tmp_path))
    return tmp_path


def assert_same(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.validation == other.validation
        for a, b in zip(one[:4], other[:4], strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                assert a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)


def test_blocks_are_read_as_they_were_written(folder, rng):
    blocks = [
        *BLOCKS,
        Block(np.arange(3), rng.random((3, 4, 5, 1), np.float32), np.zeros(3), np.ones(3), validation=True),
        Block(np.arange(0), np.empty((0, 7), np.uint8), np.empty(0, np.int64)),
        Block(np.arange(9), np.asfortranarray(rng.random((9, 5))), np.arange(9)[::-1], rng.random(18)[::2]),
    ]
    (path,) = write("blocks", 3, blocks)
    assert Path(path).parent == folder and [file.name for file in folder.iterdir()] == ["blocks-3"]
    assert (Path(path).stat().st_mode & 0o777) == 0o600
    assert_same(list(read([path])), blocks)
    assert_same(list(read([path, path])), blocks * 2)
    (empty,) = write("none", 0, [])
    assert list(read([empty])) == []


def test_paths_are_all_taken_where_the_first_file_is_missing(folder):
    """Spark ends a worker that leaves its input unread."""
    paths = iter([str(folder / "none"), str(folder / "none too")])
    with pytest.raises(FileMissing):
        list(read(paths))
    assert list(paths) == []


@pytest.mark.parametrize(("free", "written"), [(15, True), (14.9, False)])
def test_files_leave_15_percent_of_the_disk_free(folder, monkeypatch, free, written):
    usage = namedtuple("usage", "total used free")(100, 100 - free, free)
    monkeypatch.setattr(block_files.shutil, "disk_usage", lambda path: usage)
    assert (list(write("blocks", 0, iter(BLOCKS))) != [""]) == written


def test_a_block_stays_whole_when_its_file_is_removed(folder):
    (path,) = write("blocks", 0, BLOCKS)
    found = list(read([path]))
    os.remove(path)
    assert_same(found, BLOCKS)
    with pytest.raises(ValueError, match="read-only"):
        found[0].inputs[0] = 1


MANY = """
import resource, sys
from nn.spark import block_files
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
print(len(list(block_files.read(sys.argv[1:]))))
"""


def test_blocks_that_are_kept_do_not_take_an_open_file_each(folder):
    (path,) = write("many", 0, BLOCKS * 60)
    done = subprocess.run([sys.executable, "-c", MANY, path], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == f"{60 * len(BLOCKS)}\n", done.stderr


def test_blocks_are_mapped_in_segments(folder, monkeypatch):
    monkeypatch.setattr(block_files, "SEGMENT", 3 * block_files.PAGE)
    empty = Block(np.arange(0), np.empty((0, 7), np.uint8), np.empty(0, np.int64))
    blocks = [empty, *BLOCKS * 5, empty, empty]
    (path,) = write("blocks", 0, blocks)
    mapped, memory = [], mmap.mmap
    monkeypatch.setattr(block_files.mmap, "mmap", lambda *a, **how: mapped.append(a[1]) or memory(*a, **how))
    assert_same(list(read([path])), blocks)
    assert 1 < len(mapped) < len(blocks) and max(mapped) <= 4 * block_files.PAGE


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_file_that_is_not_whole_counts_as_missing(folder, share):
    (path,) = write("blocks", 0, BLOCKS)
    os.truncate(path, int(share * os.path.getsize(path)))
    with pytest.raises(FileMissing):
        list(read([path]))


def test_partitions_are_spread_over_the_disks(tmp_path, monkeypatch):
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
    monkeypatch.setenv("SPARK_LOCAL_DIRS", ",".join(map(str, folders)))
    paths = [Path(next(write("blocks", index, BLOCKS))) for index in range(4)]
    assert [path.parent for path in paths] == folders * 2


@pytest.mark.parametrize("fault", ["full", "no folder", "not named", "fails amid"])
def test_a_file_is_written_whole_or_not_at_all(folder, monkeypatch, fault):
    if fault == "full":
        usage = namedtuple("usage", "total used free")(100, 86, 14)
        monkeypatch.setattr(block_files.shutil, "disk_usage", lambda path: usage)
    elif fault == "no folder":
        monkeypatch.setenv("SPARK_LOCAL_DIRS", str(folder / "gone"))
    elif fault == "not named":
        monkeypatch.delenv("SPARK_LOCAL_DIRS")
    else:
        append = block_files._append

        def fail_later(file, block):
            if file.tell():
                raise OSError("no space left")
            return append(file, block)

        monkeypatch.setattr(block_files, "_append", fail_later)
    blocks = iter(BLOCKS)
    assert list(write("blocks", 0, blocks)) == [""]
    assert list(folder.iterdir()) == []
    assert list(blocks) == []  # drained, so that Spark uses the worker again


def test_sums_say_that_rows_were_not_there(folder):
    with pytest.raises(FileMissing):
        list(read([str(folder / "gone")]))
    (sums,) = partition_sum(Sums() for _ in read([""]))
    assert sums.unread == 1 and (Sums() + sums + sums).unread == 2
    jobs = [None, None]
    assert [(number, sums.unread) for number, sums in run_jobs(jobs, jobs, read([""]))] == [(0, 1), (1, 1)]


RECIPES = {
    "sample": {"sample": 0.7},
    "batches": {"batch_size": 60, "optimizer": "adam"},
    "replicas": {"average": "parameters", "batch_size": 16},
    "rounds": {"average": "parameters", "epochs_per_round": 2},
    "validation": {"validation_fraction": 0.3, "batch_size": 60},
}


def trained(recipe, backend):
    facts = Facts(16, LABELS, 3, 255.0, 3, are_pixels=True)
    run = TrainingRun.on(Recipe.of(hidden=[8], scale="largest", epochs=6, **recipe), facts, backend)
    *_, last = run.epochs(backend)
    return run.final_params(last), [line[:6] for line in last.history]


def write_after(monkeypatch, jobs):
    """Write files after some jobs, whatever they have taken."""
    monkeypatch.setattr(block_files, "JOB_SECONDS", 0.0)
    monkeypatch.setattr(block_files, "WRITE_READS", jobs)


def cached(spark):
    return spark.parallelize([BLOCKS[:3], BLOCKS[3:5], BLOCKS[5:]], 3).flatMap(list).cache()


@pytest.mark.spark
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_training_from_files_has_the_bits_of_training_from_the_cache(spark, monkeypatch, recipe):
    reads = []
    rows = block_files.BlockFiles.rows
    monkeypatch.setattr(block_files.BlockFiles, "rows", lambda self: reads.append(rows(self)) or reads[-1])
    write_after(monkeypatch, 2)
    backend = SparkBackend(cached(spark), cached(spark))
    params, history = trained(recipe, backend)
    paths = backend._files._paths
    assert paths.is_cached
    backend.release()
    assert not paths.is_cached
    assert len(reads) >= 3 and [found is None for found in reads[:3]] == [True, True, False]
    write_after(monkeypatch, math.inf)
    expected, same = trained(recipe, SparkBackend(cached(spark), cached(spark)))
    assert history == same
    for a, b in zip(*map(tree.arrays, (params, expected)), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.spark
@pytest.mark.parametrize(("seconds", "job"), [(0.06, 9), (0.1, 7), (10, 5)])
def test_files_are_written_once_reading_has_taken_as_long_as_writing_them_does(
    spark, monkeypatch, seconds, job
):
    """0.25 s for the job, and as long as three jobs read: at 0.06 s after the eighth job."""
    written = []
    files = block_files.BlockFiles(cached(spark))
    monkeypatch.setattr(files, "_write", lambda: written.append(len(written)))
    for number in range(1, 30):
        files.rows()
        if written:
            break
        files.note_reading(seconds)
    assert number == job


def slowly(blocks):
    for block in blocks:
        time.sleep(0.05)
        yield block


@pytest.mark.spark
@pytest.mark.parametrize("kind", ["one job", "two jobs in a pass", "rounds of two epochs"])
def test_jobs_count_what_they_have_read_on_the_clock(spark, kind):
    """3 partitions of 2 to 5 blocks, each 0.05 s."""
    backend = SparkBackend(cached(spark).mapPartitions(slowly))
    facts = Facts(16, LABELS, 3, 255.0, 3, are_pixels=True)
    options = {"average": "parameters", "epochs_per_round": 2} if kind.startswith("rounds") else {}
    run = TrainingRun.on(Recipe.of(hidden=[8], scale="largest", epochs=4, **options), facts, backend)
    passes = []

    class Passes:
        def run(self, jobs):
            passes.append(len(jobs))
            return backend.run(jobs * (2 if kind.startswith("two") else 1))[: len(jobs)]

    for _ in run.epochs(Passes()):
        pass
    on_the_clock = 0.5 / min(spark.defaultParallelism, 3)  # ten blocks
    assert len(passes) == backend._files._passes == (2 if options else 4)
    assert backend._files._seconds / len(passes) == pytest.approx(on_the_clock, rel=0.5)
    backend.release()


@pytest.mark.spark
def test_a_missing_file_sends_the_job_to_the_cache_and_files_are_given_up_in_the_end(spark, monkeypatch):
    write_after(monkeypatch, 0)
    expected = trained(RECIPES["sample"], SparkBackend(cached(spark)))
    backend = SparkBackend(cached(spark))
    backend._files.rows()
    paths = backend._files._paths.collect()
    assert len(paths) == 3 and all(map(os.path.exists, paths))
    os.remove(paths[1])
    found = trained(RECIPES["sample"], backend)
    assert backend._files._paths is None and backend._files._misses == block_files.MOST_MISSES
    assert not any(map(os.path.exists, paths))
    assert found[1] == expected[1]
    for a, b in zip(*map(tree.arrays, (found[0], expected[0])), strict=True):
        assert np.array_equal(a, b)


@pytest.mark.spark
def test_files_that_are_not_all_written_are_removed(spark, monkeypatch):
    write_after(monkeypatch, 0)
    monkeypatch.setattr(block_files, "write", unwritten)
    folders = spark.parallelize([0], 1).map(lambda _: os.environ["SPARK_LOCAL_DIRS"]).collect()[0].split(",")
    before = [os.listdir(folder) for folder in folders]
    files = SparkBackend(cached(spark))._files
    assert files.rows() is None and files.rows() is None
    assert [os.listdir(folder) for folder in folders] == before


def unwritten(name, index, blocks):
    """Write the first partition alone."""
    return write(name, index, blocks) if index == 0 else ["" for _ in [list(blocks)]]


@pytest.mark.spark
@pytest.mark.parametrize("setting", ["true", "True", " TRUE "])
def test_no_files_are_written_where_local_disks_are_to_be_encrypted(spark, monkeypatch, setting):
    write_after(monkeypatch, 0)
    blocks = cached(spark)
    conf = blocks.context.getConf()
    monkeypatch.setattr(blocks.context, "getConf", lambda: conf.set("spark.io.encryption.enabled", setting))
    assert SparkBackend(blocks)._files.rows() is None
