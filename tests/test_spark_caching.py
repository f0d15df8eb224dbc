"""How blocks are kept: in memory while they fit, else on disk."""

import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyspark
import pytest
from conftest import ROOT, blobs, write_csv

from nn.spark import caching, reading
from nn.spark.storage import Storage

pytestmark = pytest.mark.spark


@pytest.fixture
def files(spark, tmp_path):
    """A function path -> the opened files of a set with these images."""
    inputs, labels = blobs(200)
    labelled = write_csv(tmp_path / "labels.csv", labels)

    def opened(images):
        return reading.Files.open(spark, Storage(spark), reading.Source("TRAIN", str(images), labelled), 2)

    opened.inputs = inputs
    return opened


def test_rows_that_fit_lie_unpacked_and_spill_to_disk(files, tmp_path):
    opened = files(write_csv(tmp_path / "images.csv", files.inputs))
    level = caching.level_for(opened.images)
    assert (level.useMemory, level.useDisk, level.deserialized) == (True, True, True)
    assert reading.read(opened).cached.getStorageLevel() == level


def test_rows_that_are_large_beside_the_memory_are_kept_on_disk(files, tmp_path, monkeypatch):
    opened = files(write_csv(tmp_path / "images.csv", files.inputs))
    size = caching.estimated_bytes(opened.images)
    monkeypatch.setattr(caching, "free_storage", lambda context: int(size / caching.SHARE) + 1)
    held = reading.read(opened)
    assert held.cached.getStorageLevel().deserialized and not held.notes
    monkeypatch.setattr(caching, "free_storage", lambda context: int(size / caching.SHARE) - 10)
    spilled = reading.read(opened)
    level = spilled.cached.getStorageLevel()
    assert (level.useMemory, level.useDisk, level.deserialized) == (False, True, False)
    assert [note.partition(" rows of about ")[0] for note in spilled.notes] == ["TRAIN_IMAGES:"]
    assert "kept on disk; more memory" in spilled.notes[0]
    for one, other in zip(held.blocks.collect(), spilled.blocks.collect(), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_an_archive_whose_size_nobody_knows_spills_where_memory_ends(files, tmp_path):
    path = tmp_path / "images.csv.gz"
    write_csv(tmp_path / "images.csv", files.inputs)
    path.write_bytes(gzip.compress((tmp_path / "images.csv").read_bytes()))
    level = caching.level_for(files(path).images)
    assert (level.useMemory, level.useDisk, level.deserialized) == (True, True, True)


def test_the_estimate_is_by_the_first_row(files, tmp_path):
    whole = caching.estimated_bytes(files(write_csv(tmp_path / "images.csv", files.inputs)).images)
    assert 0.8 * files.inputs.size < whole < 1.25 * files.inputs.size
    path = tmp_path / "floats.csv"
    np.savetxt(path, files.inputs / 255)
    floats = caching.estimated_bytes(files(path).images)
    assert 0.95 * 4 * files.inputs.size < floats < 1.05 * 4 * files.inputs.size


def test_free_storage_is_the_driver_s_where_it_is_the_executor_too(spark):
    assert 50 << 20 < caching.free_storage(spark) < 64 << 30


def test_a_cluster_s_driver_holds_no_rows():
    program = (
        "from nn.spark.caching import free_storage\n"
        "from nn.spark.session import spark_context\n"
        "with spark_context('test') as context:\n"
        "    context.parallelize(range(4), 4).count()\n"
        "    print('free', free_storage(context))\n"
    )
    master = "local-cluster[1,1,512] --driver-memory 2g --conf spark.executor.memory=512m"
    options = (
        f"--master {master} --conf spark.ui.enabled=false --conf spark.driver.host=localhost pyspark-shell"
    )
    environment = {
        **os.environ,
        "PYSPARK_SUBMIT_ARGS": options,
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
    }
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("free")] or [done.stderr[-2000:]]
    # An executor of 512 MB has some 130 MB for rows, the driver of 2 GB a thousand.
    assert 80 << 20 < int(line.split()[1]) < 300 << 20
