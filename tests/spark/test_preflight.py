"""What --check learns of executors and data."""

import platform
import sys

import numpy as np
import pytest

from nn.data.csv import LineError
from nn.spark import preflight
from nn.spark.input.input_files import Files, Source
from nn.spark.storage.filesystem import Storage
from nn.training.recipe import Recipe
from nn.training.trial_step import TrialStep
from tests.support.data import blobs, write_csv

pytestmark = pytest.mark.spark


@pytest.fixture
def files(spark, tmp_path):
    """A function (rows (n, d), labels or None, partitions) -> the files of a training set, with a header."""

    def opened(rows, labels, partitions, column=None):
        images = tmp_path / "x.csv"
        head = ",".join(f"c{number}" for number in range(len(rows[0]))) + "\n"
        images.write_text(head + "".join(",".join(map(str, row)) + "\n" for row in rows))
        beside = None if labels is None else write_csv(tmp_path / "y.csv", np.asarray(labels))
        return Files.open(spark, Storage(spark), Source("TRAIN", str(images), beside, column), partitions)

    return opened


def test_every_executor_is_visited_once(spark, tmp_path):
    paths = [str(tmp_path), str(tmp_path / "none")]
    (report,) = preflight.report_executors(spark, paths, TrialStep(Recipe(), 784, 10, 3000, 1), 6_000_000)
    worker = report.worker
    assert (worker.python, worker.numpy) == (platform.python_version(), np.__version__)
    assert worker.threads == "1" and worker.unreadable == (str(tmp_path / "none"),)
    assert report.executor.name == "driver" and report.executor.slots == 2 and report.row_bytes == 6_000_000
    assert 0 < worker.trial_seconds < 10
    if sys.platform == "linux":
        assert 30 << 20 < worker.peak_memory < 400 << 20 and worker.free_memory > 0


def test_what_a_worker_holds_grows_with_the_network(spark):
    if sys.platform != "linux":
        pytest.skip("no one tells a process's memory")
    (small,), (large,) = (
        preflight.report_executors(spark, [], TrialStep(Recipe.of(hidden=hidden), 784, 10, 3000, 1), 0)
        for hidden in ("16", "4000,4000")
    )
    parameters = 4 * (784 * 4000 + 4000 * 4000)
    assert large.worker.peak_memory - small.worker.peak_memory > 2 * parameters  # gradients beside parameters
    assert large.worker.trial_seconds > small.worker.trial_seconds


def test_without_a_trial_step_no_time_is_shown(spark):
    (report,) = preflight.report_executors(spark, [], None, 0)
    assert report.worker.trial_seconds is None


@pytest.mark.parametrize("partitions", [1, 3])
def test_both_ends_of_images_and_labels_are_read(files, spark, partitions):
    inputs, labels = blobs(6000, width=4)
    opened = files(inputs.tolist(), labels, partitions)
    images, beside = preflight.first_and_last(opened)
    assert images[:4] == ("TRAIN_IMAGES", partitions, (1023, 4, 0), (1024, 4, 0))
    assert images.files == (opened.images.splits[0].path, opened.images.splits[-1].path)
    assert images.tail == 1024
    assert (beside.argument, beside.first, beside.last) == ("TRAIN_LABELS", (1024, 1, 3), (1024, 1, 3))
    assert (images.classes, beside.classes) == (0, 3)
    memory = preflight.memory_for_rows(spark, [opened])
    assert memory.free > memory.needed > 6000 * 4 * 0.5


def test_labels_beside_the_images_are_seen(files):
    (images,) = preflight.first_and_last(files([[1, 2, 0], [3, 4, 6], [5, 6, 2]], None, 1, column=-1))
    assert images.first == (3, 3, 7) == images.last and images.classes == 7 and images.tail == 0


@pytest.mark.parametrize(
    ("rows", "labels", "column", "argument", "expected", "reports"),
    [
        ([[1, 2]] * 50 + [[1, "x"]], [0] * 51, None, "TRAIN_IMAGES", "a number as value 2 of 2", "'x'"),
        (
            [[1, 2]] * 50,
            [0] * 49 + [-1.5],
            None,
            "TRAIN_LABELS",
            "a whole number or a name as the label",
            "-1.5",
        ),
        (
            [[1, 2]] * 50 + [[1, 2.5]],
            None,
            -1,
            "TRAIN_IMAGES",
            "a whole number or a name as the label",
            "2.5",
        ),
    ],
)
def test_a_fault_at_the_end_is_found(files, rows, labels, column, argument, expected, reports):
    (ends,) = [
        each
        for each in preflight.first_and_last(files(rows, labels, 2, column))
        if isinstance(each.last, LineError)
    ]
    assert (ends.argument, ends.last.expected, ends.last.found) == (argument, expected, reports)
    assert not isinstance(ends.first, LineError) and ends.classes == ends.first.classes
    assert ends.last.line == ends.tail > 0  # the last of the lines
