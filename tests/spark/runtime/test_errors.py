"""Known faults of a cluster are one line that says what to do."""

import importlib.util
import subprocess
import sys
from types import SimpleNamespace

import pytest

from nn.core.errors import DataError, PlatformError
from nn.spark.runtime import errors
from tests.support.data import blobs, write_csv
from tests.support.result_files import holds_no_results
from tests.support.submitting import MAIN, submit

pytestmark = pytest.mark.spark


class JavaError(Exception):
    """As py4j's: the message hides in a Java exception."""

    @property
    def java_exception(self):
        return self

    def getMessage(self):  # noqa: N802
        return self.args[0]

    def getClass(self):  # noqa: N802
        return SimpleNamespace(getName=lambda: "org.apache.spark.SparkException")


@pytest.mark.parametrize(
    ("java_message", "line"),
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
            "expected the Python python9 on the executors, found none there; point PYSPARK_PYTHON",
        ),
        (
            'java.io.IOException: Cannot run program "/tmp": Exec failed, error: 13 (Permission denied)',
            "Python /tmp on the executors, found nothing that can be run (a folder, or not executable) there;",
        ),
        (
            "EOFException occurred while reading the port number from pyspark.daemon's stdout.",
            "expected a Python for the executors, found a program that ended at once; point PYSPARK_PYTHON",
        ),
        (
            "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)\n\tat org.apache.spark",
            "a Python worker ended by itself: most often the system kills it where memory runs out; give the",
        ),
        (
            "ModuleNotFoundError: No module named 'pyarrow'",
            "expected pyarrow for the executors' Python, which Spark Connect needs",
        ),
        (
            "<RPC that terminated with:\n\tstatus = StatusCode.UNAVAILABLE\n\tdetails = ...",
            "the server of Spark Connect does not answer",
        ),
        ("[INVALID_HANDLE.SESSION_CLOSED] The handle x", "the session of Spark Connect has ended"),
        (
            'status = StatusCode.RESOURCE_EXHAUSTED\n\tdetails = "CLIENT: Sent message larger than max (2 vs. 1)"',
            "parameters travel in the plan of a job, which here is larger than Spark Connect takes",
        ),
        (
            "gRPC message exceeds maximum size 134217728: 200000000",
            "allow more (grpc.max_send_message_length",
        ),
    ],
)
def test_a_known_fault_is_one_line(java_message, line):
    fault = errors.translate(JavaError(java_message))
    assert isinstance(fault, PlatformError) and line in str(fault) and "\n" not in str(fault)


class Collected(JavaError):
    """An IOException with others inside it."""

    def __init__(self, message, cause=None, suppressed=()):
        super().__init__(message)
        self.getCause, self.getSuppressed = lambda: cause, lambda: suppressed

    def getClass(self):  # noqa: N802
        return SimpleNamespace(getName=lambda: "java.io.IOException")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (Collected("Multiple IOExceptions.", None, [Collected("Error getting x", Collected("403 Forbidden\n{"))]),
         "Multiple IOExceptions. (403 Forbidden)"),
        (Collected("Error accessing x: 403", Collected("403")), "Error accessing x: 403"),
        (Collected(None, Collected("no route")), "java.io.IOException (no route)"),
        (Collected("disk full"), "disk full"),
    ],
)  # fmt: skip
def test_the_reason_of_an_exception_may_lie_inside_it(error, line):
    assert errors.reason_of(error) == line


@pytest.mark.parametrize("error", [ValueError("No module named 'numpy'"), JavaError("x"), JavaError(None)])
def test_other_errors_are_left_alone(error):
    assert errors.translate(error) is None


LOST = "Lost task 0.0 in stage 1.0 (TID 1) (host executor driver)"


@pytest.mark.parametrize(
    ("message", "failure"),
    [
        (
            f"{LOST}: java.io.FileNotFoundException: File file:/x.csv does not exist\n"
            "\tat org.apache.hadoop.fs.RawLocalFileSystem.open(R.java:1)",
            "java.io.FileNotFoundException: File file:/x.csv does not exist",
        ),
        (
            f"{LOST}: org.apache.spark.SparkException: x\n\tat org.apache.spark.A.b(A.scala:1)\n"
            "Caused by: java.io.EOFException: Unexpected end of input stream\n"
            "\tat java.base/java.io.DataInputStream.readInt(D.java:1)\n"
            "\tat org.apache.hadoop.io.compress.DecompressorStream.read(D.java:1)\n"
            "\tat org.apache.spark.rdd.HadoopRDD.next(H.scala:1)",
            "java.io.EOFException: Unexpected end of input stream",
        ),
        (
            f"{LOST}: java.io.IOException: No space left on device\n"
            "\tat java.base/java.io.FileOutputStream.writeBytes(Native Method)\n"
            "\tat org.apache.spark.storage.DiskStore.put(D.scala:1)",
            None,
        ),
        (
            f'{LOST}: java.io.IOException: Cannot run program "p": error=2\n'
            "\tat org.apache.spark.api.python.PythonWorkerFactory.startDaemon(P.scala:1)\n"
            "Caused by: java.io.IOException: error=2, No such file or directory\n"
            "\tat java.base/java.lang.ProcessImpl.forkAndExec(Native Method)\n"
            "\tat java.base/java.lang.ProcessBuilder.start(P.java:1)",
            None,
        ),
        (
            f"{LOST}: org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)\n"
            "\tat org.apache.spark.api.python.BasePythonRunner.x(P.scala:1)\nCaused by: java.io.EOFException\n"
            "\tat java.base/java.io.DataInputStream.readInt(D.java:1)\n"
            "\tat org.apache.spark.api.python.PythonRunner.read(P.scala:1)",
            None,
        ),
        (
            f"{LOST}: org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)\n"
            "\tat org.apache.spark.api.python.BasePythonRunner.x(P.scala:1)\n"
            "Caused by: java.io.IOException: crc error\n"
            "\tat org.apache.hadoop.io.compress.bzip2.CBZip2InputStream.read(C.java:1)",
            "java.io.IOException: crc error",
        ),
        ("x", None),
    ],
)
def test_the_failure_of_a_storage_is_told_from_spark_s_own(message, failure):
    error = errors.translate(JavaError(message), "x.csv", "TRAIN_IMAGES")
    if failure is None:
        assert not isinstance(error, DataError)
    else:
        assert type(error) is DataError and str(error) == f"TRAIN_IMAGES: cannot read x.csv: {failure}"
    assert not isinstance(errors.translate(JavaError(message)), DataError)


def test_an_error_becomes_one_for_the_user_by_its_cause():
    class Py4JNetworkError(Exception):
        pass

    own = PlatformError("own")
    assert errors.as_user_error(own, DataError, "what") is own
    known = errors.as_user_error(JavaError('Cannot run program "p": error=2'), DataError, "what")
    assert type(known) is PlatformError and "the Python p" in str(known)
    gone = errors.as_user_error(Py4JNetworkError("Answer from Java side is empty"), DataError, "what")
    assert type(gone) is PlatformError and str(gone).startswith("Spark's Java process ended by itself")
    other = errors.as_user_error(JavaError("reason\nmore"), DataError, "what")
    assert type(other) is DataError and str(other) == "what: reason"


@pytest.mark.parametrize("words", [(), ("--check",)])
def test_a_python_that_is_not_there_is_not_blamed_on_the_data(tmp_path, words):
    inputs, labels = blobs(30, width=4)
    paths = [write_csv(tmp_path / "x.csv", inputs), write_csv(tmp_path / "y.csv", labels)] * 2
    python = str(tmp_path) if words else "/nope/python"  # a folder; nothing
    env = {"PYSPARK_PYTHON": python, "PYSPARK_DRIVER_PYTHON": sys.executable}
    done = submit(MAIN, *paths, "out", *words, cwd=tmp_path, env=env)
    assert done.returncode == 4, done.stdout
    assert f"main_task.py: error: expected the Python {python} on the exec" in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stdout and holds_no_results(tmp_path / "out")


def test_another_python_on_the_workers_is_told(spark, monkeypatch):
    monkeypatch.setattr(spark, "pythonVer", "3.7")
    with pytest.raises(Exception) as caught:
        spark.parallelize([1], 1).map(str).collect()
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"found {own}; point PYSPARK_PYTHON" in str(errors.translate(caught.value))


@pytest.mark.parametrize("words", [(), ("--check",)])
def test_executors_without_numpy_are_told_in_one_line(tmp_path, words):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    inputs, labels = blobs(30, width=4)
    paths = [write_csv(tmp_path / "x.csv", inputs), write_csv(tmp_path / "y.csv", labels)] * 2
    env = {
        "PYSPARK_PYTHON": str(tmp_path / "bare" / "bin" / "python"),
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    done = submit(MAIN, *paths, "out", *words, cwd=tmp_path, env=env)
    assert done.returncode == 4, done.stdout
    assert (
        "error: expected NumPy for the executors' Python, found none; install it"
        in done.stdout.splitlines()[-1]
    )
    assert "Traceback" not in done.stdout and holds_no_results(tmp_path / "out")


def test_the_reason_of_an_error_in_a_python_worker_is_its_own_line(spark):
    from pyspark.sql import SparkSession

    def fail(rows):
        raise ValueError("row 3 is wrong")

    spark4 = "[PYTHON_EXCEPTION] An exception was thrown from the Python worker:\nTraceback (most recent call last):\n"
    shown = f'{spark4}  File "x.py", line 1, in fail\nValueError: row 3 is wrong\n\n\tat org.apache.spark.X\n'
    assert errors.reason_of(JavaError(shown)) == "ValueError: row 3 is wrong"
    frame = SparkSession(spark).range(2)
    for run in (spark.parallelize([1], 1).mapPartitions(fail).collect, frame.rdd.mapPartitions(fail).collect):
        with pytest.raises(Exception) as caught:
            run()
        assert errors.reason_of(caught.value) == "ValueError: row 3 is wrong"
    if importlib.util.find_spec("pyarrow"):
        with pytest.raises(Exception) as caught:
            frame.mapInArrow(fail, "id long").collect()
        assert errors.reason_of(caught.value) == "ValueError: row 3 is wrong"


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("Error accessing gs://b/y.csv (Connection closed prematurely: bytesRead = 351)", PlatformError),
        (
            "Job aborted: Lost task 0.0\n org.apache.http.ConnectionClosedException: Premature end",
            PlatformError,
        ),
        ("java.net.UnknownHostException: namenode", PlatformError),
        ("not a gzip file", DataError),
    ],
)
def test_a_connection_that_breaks_off_is_no_fault_of_the_data(message, kind):
    assert type(errors.as_user_error(JavaError(message), DataError, "TRAIN_IMAGES: cannot read x")) is kind


HTTP = (
    "Job aborted due to stage failure: Task 1 in stage 4.0 failed 1 times, most recent failure: Lost task 1.0 in stage "
    "4.0 (TID 5) (192.0.2.2 executor driver): {}org.apache.http.ConnectionClosedException: Premature end of "
    "Content-Length delimited message body (expected: 350; received: 65)\n"
    "\tat org.apache.http.impl.io.ContentLengthInputStream.read(ContentLengthInputStream.java:178)\n"
    "\tat org.apache.spark.X.y(X.scala:1)"
)
CRASHED = (
    "org.apache.spark.SparkException: Python worker exited unexpectedly (crashed)\n\tat org.apache.spark.Z\n"
    "Caused by: "
)


@pytest.mark.parametrize("before", ["", CRASHED])
def test_an_answer_cut_short_is_told_as_such_not_as_a_worker_s_end(before):
    error = JavaError(HTTP.format(before))
    assert errors.translate(error) is None
    reason = errors.reason_of(error)
    assert reason.startswith("org.apache.http.ConnectionClosedException: Premature end") and "350" in reason
    assert errors.is_of_network(reason) and not errors.is_of_network("bad block")
    found = errors.translate(error, "s3a://b/x", "TRAIN_IMAGES")
    assert type(found) is PlatformError and str(found).startswith("TRAIN_IMAGES: cannot read s3a://b/x: org")


def test_a_task_that_lost_its_connection_is_no_fault_of_the_data():
    message = (
        "Lost task 0.0 (executor 1): java.io.IOException: {}\n\tat org.apache.hadoop.fs.Read.read(Read.java)"
    )
    broken = errors.translate(JavaError(message.format("Connection reset")), "s3a://b/x", "TRAIN_IMAGES")
    damaged = errors.translate(JavaError(message.format("bad block")), "s3a://b/x", "TRAIN_IMAGES")
    assert (type(broken), type(damaged)) == (PlatformError, DataError)
