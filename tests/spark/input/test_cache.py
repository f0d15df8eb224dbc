"""How blocks are kept: in memory while they fit, else on disk."""

import gzip

import numpy as np
import pytest

from nn.spark.input import cache, reader
from nn.spark.storage.filesystem import Storage
from tests.support.data import blobs, write_csv

pytestmark = pytest.mark.spark


@pytest.fixture
def files(spark, tmp_path):
    """A function path -> the opened files of a set with these images."""
    inputs, labels = blobs(200)
    labelled = write_csv(tmp_path / "labels.csv", labels)

    def opened(images):
        return reader.Files.open(spark, Storage(spark), reader.Source("TRAIN", str(images), labelled), 2)

    opened.inputs = inputs
    return opened


def test_rows_that_fit_lie_unpacked_and_spill_to_disk(files, tmp_path):
    opened = files(write_csv(tmp_path / "images.csv", files.inputs))
    level = cache.level_for(opened.images)
    assert (level.useMemory, level.useDisk, level.deserialized) == (True, True, True)
    assert reader.read(opened).cached.getStorageLevel() == level


def test_rows_that_are_large_beside_the_memory_are_kept_on_disk(files, tmp_path, monkeypatch):
    opened = files(write_csv(tmp_path / "images.csv", files.inputs))
    size = cache.estimated_bytes(opened.images)
    monkeypatch.setattr(cache, "free_storage", lambda context: int(size / cache.SHARE) + 1)
    in_memory = reader.read(opened)
    assert in_memory.cached.getStorageLevel().deserialized and not in_memory.notes
    monkeypatch.setattr(cache, "free_storage", lambda context: int(size / cache.SHARE) - 10)
    spilled = reader.read(opened)
    level = spilled.cached.getStorageLevel()
    assert (level.useMemory, level.useDisk, level.deserialized) == (False, True, False)
    assert [note.partition(" rows of about ")[0] for note in spilled.notes] == ["TRAIN_IMAGES:"]
    assert "kept on disk; more memory" in spilled.notes[0]
    for one, other in zip(in_memory.blocks.collect(), spilled.blocks.collect(), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_an_archive_whose_size_nobody_knows_spills_where_memory_ends(files, tmp_path):
    path = tmp_path / "images.csv.gz"
    write_csv(tmp_path / "images.csv", files.inputs)
    path.write_bytes(gzip.compress((tmp_path / "images.csv").read_bytes()))
    level = cache.level_for(files(path).images)
    assert (level.useMemory, level.useDisk, level.deserialized) == (True, True, True)


def test_the_estimate_is_by_the_first_row(files, tmp_path):
    whole = cache.estimated_bytes(files(write_csv(tmp_path / "images.csv", files.inputs)).images)
    assert 0.8 * files.inputs.size < whole < 1.25 * files.inputs.size
    path = tmp_path / "floats.csv"
    np.savetxt(path, files.inputs / 255)
    floats = cache.estimated_bytes(files(path).images)
    assert 0.95 * 4 * files.inputs.size < floats < 1.05 * 4 * files.inputs.size
