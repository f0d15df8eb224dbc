"""Known faults of a cluster are one line that says what to do."""

import subprocess
import sys

import pytest
from conftest import blobs, write_csv
from submitting import MAIN, submit

from nn.errors import EnvironmentFault
from nn.spark import faults

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
            "Spark stopped by itself: it was ended from outside, its master",
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
