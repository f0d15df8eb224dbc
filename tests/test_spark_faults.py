"""Known faults of a cluster are one line that says what to do."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import blobs, write_csv
from submitting import MAIN, submit

from nn.errors import EnvironmentFault
from nn.spark import checkup, faults
from nn.spark.storage import Storage
from nn.spark.textfile import TextFile

pytestmark = pytest.mark.spark


class JavaError(Exception):
    """As py4j's: the message hides in a Java exception."""

    @property
    def java_exception(self):
        return self

    def getMessage(self):  # noqa: N802
        return self.args[0]


@pytest.mark.parametrize(
    ("told", "line"),
    [
        (
            "Python in worker has different version: 3.9 than that in driver: 3.11",
            "found 3.9; point PYSPARK_PYTHON",
        ),
        ("Python in worker has different version (3, 8) than", "found 3.8; point PYSPARK_PYTHON"),
        (
            "x\nModuleNotFoundError: No module named 'numpy'\n\tat org",
            "expected NumPy for the executors' Python",
        ),
        ("x\nModuleNotFoundError: No module named 'nn.spark'\n\tat org", "submit with --py-files nn.zip"),
        (
            "Cannot call methods on a stopped SparkContext.\nThis stopped",
            "Spark stopped by itself: its master",
        ),
        (
            'java.io.IOException: Cannot run program "python9": error=2',
            "expected the Python python9 on the executors",
        ),
    ],
)
def test_a_known_fault_is_one_line(told, line):
    fault = faults.translated(JavaError(told))
    assert isinstance(fault, EnvironmentFault) and line in str(fault) and "\n" not in str(fault)


@pytest.mark.parametrize("error", [ValueError("No module named 'numpy'"), JavaError("x"), JavaError(None)])
def test_other_errors_are_left_alone(error):
    assert faults.translated(error) is None


def test_another_python_on_the_workers_is_told(spark, monkeypatch):
    monkeypatch.setattr(spark, "pythonVer", "3.7")
    with pytest.raises(Exception) as caught:
        spark.parallelize([1], 1).map(str).collect()
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"found {own}; point PYSPARK_PYTHON" in str(faults.translated(caught.value))


@pytest.mark.parametrize("words", [(), ("--check",)])
def test_executors_without_numpy_are_told_in_one_line(tmp_path, words):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    inputs, labels = blobs(30, width=4)
    places = [write_csv(tmp_path / "x.csv", inputs), write_csv(tmp_path / "y.csv", labels)] * 2
    env = {
        "PYSPARK_PYTHON": str(tmp_path / "bare" / "bin" / "python"),
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    done = submit(MAIN, *places, "out", *words, cwd=tmp_path, env=env)
    assert done.returncode == 4, done.stdout
    assert (
        "error: expected NumPy for the executors' Python, found none; install it"
        in done.stdout.splitlines()[-1]
    )
    assert "Traceback" not in done.stdout and not (tmp_path / "out").exists()


def test_every_executor_is_visited_once(spark, tmp_path):
    (found,) = checkup.visit(spark, [str(tmp_path), str(tmp_path / "none")])
    assert found.numpy == np.__version__ and found.threads == "1" and found.cores >= 1
    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert found.unread == (str(tmp_path / "none"),)
    assert found.memory >= found.free > 0 or sys.platform != "linux"


@pytest.mark.parametrize("partitions", [1, 3])
def test_both_ends_of_the_images_are_read(spark, tmp_path, partitions):
    inputs, _ = blobs(6000, width=4)
    (tmp_path / "x.csv").write_text(
        "a,b,c,d\n" + "".join(",".join(map(str, row)) + "\n" for row in inputs.tolist())
    )
    images = TextFile(spark, Storage(spark), str(tmp_path / "x.csv"), "TRAIN_IMAGES", partitions)
    assert checkup.ends(images) == ("TRAIN_IMAGES", partitions, (1023, 4), (1024, 4))
    room = checkup.room(spark, [images])
    assert room.free > room.needed > 6000 * 4 * 0.5


def test_a_fault_at_the_end_is_found(spark, tmp_path):
    inputs, _ = blobs(3000, width=4)
    path = write_csv(tmp_path / "x.csv", inputs)
    with open(path, "a") as file:
        file.write("1,2,x,4\n")
    last = checkup.ends(TextFile(spark, Storage(spark), path, "TRAIN_IMAGES", 2)).last
    assert last.expected == "a number as value 3 of 4" and last.found == "'x'"
