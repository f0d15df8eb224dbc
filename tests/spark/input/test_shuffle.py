"""The one shuffle: every row arrives once, with what is its own, where its seed sends it, whoever is first."""

import tracemalloc

import numpy as np
import pytest

from nn.core import random
from nn.data import csv, label_skew
from nn.data.block import Block
from nn.data.hold_out import HoldOut
from nn.data.split import Split
from nn.spark.input import reader, shuffle
from nn.spark.input.input_files import Source
from nn.spark.input.shuffle import shuffled
from nn.spark.storage.filesystem import Storage
from tests.support.data import blobs, write_csv
from tests.support.training import split_rows

ROWS, WIDTH = 200, 6
INPUTS, LABELS = blobs(ROWS, width=WIDTH)
INPUTS[:, 0] = np.arange(ROWS)  # no two rows are alike, and each says which it is
LABELS = np.sort(LABELS)
WEIGHTS = np.arange(ROWS) / 4
PLACES = random.permutation(5, random.SHUFFLE, 0, np.arange(ROWS), ROWS)
ORDER = np.argsort(PLACES)  # which row comes to each place


# ---- what a task does, without Spark ----


def local_rdd(sizes, weights=None, inputs=INPUTS):
    """The rows in blocks of these sizes, as reading numbers them."""
    ends = np.cumsum(sizes)
    whole = Block(np.arange(ROWS), inputs, LABELS, weights)
    return [whole.take(slice(end - size, end)) for size, end in zip(sizes, ends, strict=True)]


def sent(blocks, partitions, seed=5):
    """What arrives in each partition, in the order it is sent in."""
    boxes = [[] for _ in range(partitions)]
    for block in blocks:
        for target, part in shuffle.scatter(seed, ROWS, partitions, block):
            boxes[target].append((target, part))
    return boxes


def arrived(boxes, block_rows=1024):
    return [
        list(shuffle.gather(ROWS, len(boxes), block_rows, number, iter(box)))
        for number, box in enumerate(boxes)
    ]


def same(one, other):
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        assert len(a) == len(b)
        for left, right in zip(a, b, strict=True):
            assert left.inputs.dtype == right.inputs.dtype and left.validation == right.validation
            for x, y in zip(left[:4], right[:4], strict=True):
                assert (x is None and y is None) or np.array_equal(x, y)


@pytest.mark.parametrize("partitions", [1, 3, 8, 199, 200, 300])
def test_rows_arrive_once_in_the_order_of_their_places(partitions):
    parts = arrived(sent(local_rdd([70, 1, 129], WEIGHTS), partitions))
    blocks = [block for part in parts for block in part]
    assert np.concatenate([block.rows for block in blocks]).tolist() == list(range(ROWS))
    assert np.array_equal(np.concatenate([block.inputs for block in blocks]), INPUTS[ORDER])
    assert np.array_equal(np.concatenate([block.labels for block in blocks]), LABELS[ORDER])
    assert np.array_equal(np.concatenate([block.weights for block in blocks]), WEIGHTS[ORDER])
    sizes = [sum(len(block.rows) for block in part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weights"])
def test_what_arrives_does_not_depend_on_the_order_of_arrival_or_on_the_blocks_it_came_from(rng, weights):
    first = arrived(sent(local_rdd([70, 1, 129], weights), 3), 16)
    backward = [box[::-1] for box in sent(local_rdd([70, 1, 129], weights), 3)]
    same(arrived(backward, 16), first)
    same(arrived(sent(local_rdd([25] * 8, weights)[::-1], 3), 16), first)
    with pytest.raises(AssertionError):
        same(arrived(sent(local_rdd([25] * 8, weights), 3, seed=6), 16), first)


def test_blocks_are_cut_to_size():
    (part,) = arrived(sent(local_rdd([ROWS]), 1), 64)
    assert [len(block.rows) for block in part] == [64, 64, 64, 8]


def test_a_block_goes_out_in_one_record_for_each_partition():
    (block,) = local_rdd([ROWS])
    records = list(shuffle.scatter(5, ROWS, 4, block))
    assert [target for target, _ in records] == [0, 1, 2, 3]
    assert {type(target) for target, _ in records} == {int}  # Spark packs them as such
    assert all(part.inputs.dtype == np.uint8 for _, part in records)


@pytest.mark.parametrize("backward", [False, True])
def test_blocks_of_both_kinds_arrive_as_reading_would_have_made_them(backward):
    inputs = INPUTS.astype(np.float32)
    inputs[3, 2] = 0.5
    blocks = local_rdd([100, 100], inputs=inputs)
    blocks[1] = blocks[1]._replace(inputs=INPUTS[100:])
    (box,) = sent(blocks, 1)
    (part,) = arrived([box[::-1] if backward else box], 50)
    kinds = [block.inputs.dtype for block in part]
    assert kinds.count(np.float32) == 1 and kinds.count(np.uint8) == 3
    assert kinds.index(np.float32) == PLACES[3] // 50
    assert np.array_equal(np.concatenate([block.inputs for block in part]), inputs[ORDER])


def test_a_partition_that_misses_rows_says_so():
    boxes = sent(local_rdd([100, 100]), 2)
    with pytest.raises(ValueError, match="partition 0: expected 100 shuffled rows, found "):
        arrived([boxes[0][:1], boxes[1]])


def test_labels_on_the_driver_go_the_way_of_their_rows(monkeypatch):
    assert np.array_equal(shuffle.moved(LABELS, 5), LABELS[ORDER])
    monkeypatch.setattr(shuffle, "STRIDE", 7)
    assert np.array_equal(shuffle.moved(LABELS.astype(np.int16), 5), LABELS[ORDER])


def test_a_receiving_task_holds_its_rows_once():
    rows, width = 20_000, 500

    def arriving():
        for start in range(0, rows, 100):
            own = np.arange(start, start + 100)
            yield 0, Block(own, np.ones((100, width), np.uint8), own % 3)

    tracemalloc.start()
    try:
        total = sum(len(block.rows) for block in shuffle.gather(rows, 1, 1024, 0, arriving()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert total == rows and peak < 1.3 * rows * width


# ---- on Spark ----


@pytest.fixture
def folder(tmp_path):
    write_csv(tmp_path / "x.csv", INPUTS)
    write_csv(tmp_path / "y.csv", LABELS)
    return tmp_path


def read(spark, folder, partitions=3, column=None, weights=None):
    labels = str(folder / "y.csv") if column is None else None
    source = Source("TRAIN", str(folder / "x.csv"), labels, column, weights)
    return reader.read(reader.Files.open(spark, Storage(spark), source, partitions))


def collected(dataset):
    """Rows, inputs, labels and weights of all blocks, in their order."""
    fields = zip(*(block[:4] for block in dataset.blocks.collect()), strict=True)
    return [None if parts[0] is None else np.concatenate(parts) for parts in fields]


def assert_shuffled(dataset, weights=None):
    rows, inputs, labels, found_labels = collected(dataset)
    assert rows.tolist() == list(range(ROWS))
    assert np.array_equal(inputs, INPUTS[ORDER]) and np.array_equal(labels, LABELS[ORDER])
    assert np.array_equal(dataset.labels, LABELS[ORDER])
    assert found_labels is None if weights is None else np.array_equal(found_labels, weights[ORDER])


@pytest.mark.spark
@pytest.mark.parametrize("partitions", [1, 2, 7])
def test_shuffling_moves_every_row_to_its_place(spark, folder, partitions):
    before = read(spark, folder, partitions)
    after = shuffled(before, 5)
    assert_shuffled(after)
    assert after.partitions == after.blocks.getNumPartitions() == partitions
    for field in ("rows", "width", "largest", "weighted", "notes", "classes"):
        assert getattr(after, field) == getattr(before, field)
    assert np.array_equal(after.class_rows, before.class_rows)


@pytest.mark.spark
def test_shuffling_fills_one_cache_and_empties_the_other(spark, folder):
    before = read(spark, folder)
    level = before.cached.getStorageLevel()
    after = shuffled(before, 5)
    assert after.cached.is_cached and not before.cached.is_cached
    assert after.cached.getStorageLevel() == level and level.useDisk and level.useMemory
    validation_inputs = {
        info.id(): info.numCachedPartitions() for info in spark._jsc.sc().getRDDStorageInfo()
    }
    assert validation_inputs[after.cached.id()] == 3 and before.cached.id() not in validation_inputs
    (folder / "x.csv").unlink()
    assert_shuffled(after)


@pytest.mark.spark
def test_shuffling_spreads_classes_and_counts_them_anew(spark, folder):
    before = read(spark, folder, 2)
    after = shuffled(before, 5)
    parts = after.blocks.map(lambda block: block.labels).glom().collect()
    counts = [np.bincount(np.concatenate(part), minlength=3).tolist() for part in parts]
    assert after.shuffle_windows.counts.tolist() == counts and after.shuffle_windows.replicas.tolist() == [
        0,
        1,
    ]
    assert "rows look sorted by class" in label_skew.warning(before.shuffle_windows)
    assert label_skew.warning(after.shuffle_windows) is None


@pytest.mark.spark
def test_shuffling_takes_weights_and_labels_of_the_same_lines_along(spark, folder):
    np.savetxt(folder / "x.csv", np.column_stack([LABELS, INPUTS, WEIGHTS]), fmt="%g", delimiter=",")
    after = shuffled(read(spark, folder, column=0, weights=-1), 5)
    assert after.weighted
    assert_shuffled(after, WEIGHTS)


@pytest.mark.spark
def test_shuffling_gives_the_same_bits_again(spark, folder):
    same(*(shuffled(read(spark, folder), 5).blocks.glom().collect() for _ in range(2)))


@pytest.mark.spark
def test_shuffling_fewer_rows_than_partitions(spark, folder):
    write_csv(folder / "x.csv", INPUTS[:3])
    write_csv(folder / "y.csv", LABELS[:3])
    after = shuffled(read(spark, folder, 5), 5)
    assert after.partitions == after.shuffle_windows.n_replicas == 5
    assert after.shuffle_windows.counts.sum(axis=1).tolist() == [1] * 3
    assert sorted(collected(after)[1][:, 0].tolist()) == [0, 1, 2]


@pytest.mark.spark
def test_shuffling_cuts_blocks_as_reading_does(spark, folder, monkeypatch):
    before = read(spark, folder, 1)
    monkeypatch.setattr(csv, "CHUNK_ROWS", 90)
    after = shuffled(before, 5)
    assert after.blocks.map(lambda block: len(block.rows)).collect() == [90, 90, 20]
    monkeypatch.setattr(csv, "CHUNK_BYTES", 4 * WIDTH * 80)  # rows that are wide for their bound
    after = shuffled(after, 5)
    assert after.blocks.map(lambda block: len(block.rows)).collect() == [80, 80, 40]


@pytest.mark.spark
def test_a_shuffled_set_is_divided_like_any_other(spark, folder):
    after = shuffled(read(spark, folder), 5)
    split = Split(ROWS, HoldOut(0, 0.4, ROWS), np.array([1.0, 2.0, 0.5]))
    divided = split_rows(after, split)
    assert divided.is_cached and not after.cached.is_cached
    blocks = divided.collect()
    for validation, rows in ((True, split.validation_rows), (False, split.train_rows)):
        numbers = np.concatenate([block.rows for block in blocks if block.validation == validation])
        assert numbers.tolist() == list(range(rows))
    validation_inputs = np.concatenate([block.inputs[:, 0] for block in blocks if block.validation])
    assert validation_inputs.tolist() == ORDER[split.hold_out.mask(np.arange(ROWS))].tolist()
    divided.unpersist()


def shuffle_written(spark):
    """Bytes that Spark says its tasks have written for shuffles so far."""
    core = spark._jsc.sc()
    core.listenerBus().waitUntilEmpty()
    executors = core.statusStore().executorList(False)
    return sum(executors.apply(number).totalShuffleWrite() for number in range(executors.size()))


@pytest.mark.spark
def test_images_travel_once_and_only_when_asked_to(spark, folder, rng):
    images = rng.integers(0, 256, (900, 400), dtype=np.uint8)  # noise, which no compression makes smaller
    write_csv(folder / "x.csv", images)
    write_csv(folder / "y.csv", rng.integers(0, 3, 900))
    start = shuffle_written(spark)
    dataset = read(spark, folder)
    plain = split_rows(dataset, Split(900, HoldOut(0, 0.4, 900)))
    assert plain.count() and shuffle_written(spark) == start
    plain.unpersist()
    dataset = read(spark, folder)
    after = shuffled(dataset, 5)
    moved = shuffle_written(spark) - start
    assert images.nbytes <= moved < 1.1 * images.nbytes
    for _ in range(2):
        assert after.blocks.map(lambda block: len(block.rows)).sum() == 900
    assert shuffle_written(spark) == start + moved
