"""Faults of a cluster that Spark tells in a hundred lines, each as one line that says what to do."""

from __future__ import annotations

import re
import sys

from nn.core.errors import PlatformError, UserError

_VERSIONS = re.compile(r"Python in worker has different version:? \(?(\d+)(?:\.|, )(\d+)")
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(numpy|nn|pyspark)(?:\.[\w.]*)?'")
_NO_PROGRAM = re.compile(r'Cannot run program "([^"]+)"(?:[^\n]*?error[=:] ?(\d+))?')
_NO_DAEMON = "reading the port number from pyspark.daemon"
_CRASHED = "Python worker exited unexpectedly"
# An exception that ended a task or caused the one that did: class and message, then its frames.
_CAUSE = re.compile(
    r"(?:\): |Caused by: )((?:java\.io|java\.util\.zip|org\.apache\.hadoop)\.[\w.]+(?:: [^\n]*)?)((?:\n\s+at [^\n]*)*)"
)
_FRAME = re.compile(r"\n\s+at (?:[\w.@-]+/)?(?!java\.|javax\.|jdk\.|sun\.|scala\.)([\w.$]+)")

STOPPED = (
    "Spark stopped by itself: it was ended from outside, its master is gone, or turned this application away (do both "
    "know the same spark.authenticate.secret?)"
)
GONE = (
    "Spark's Java process ended by itself: most often it is killed where memory runs out; give it less to do at once, "
    "or more memory with --driver-memory"
)
_ANOTHER_PYTHON = "point PYSPARK_PYTHON, or --conf spark.pyspark.python, at one that every machine has"


def translated(error: BaseException) -> PlatformError | None:
    """The line for an error of Spark's that has a known cause outside the program, else None."""
    java = getattr(error, "java_exception", None)
    if java is None:
        return PlatformError(GONE) if _is_lost_connection(error) else None
    message = str(java.getMessage() or "")
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    versions = _VERSIONS.search(message)
    if versions:
        return PlatformError(
            f"expected Python {here} on the executors, as on the driver, found {versions[1]}.{versions[2]}; "
            "point PYSPARK_PYTHON, or --conf spark.pyspark.python, at the same Python everywhere"
        )
    if "stopped SparkContext" in message or "SparkContext was shut down" in message:
        return PlatformError(STOPPED)
    missing = _NO_MODULE.search(message)
    if missing:
        return PlatformError(_CURES[missing[1]])
    return _worker_fault(message, storage_failure(error) is not None)


def _worker_fault(message: str, is_storage_s: bool) -> PlatformError | None:
    """The line for a Python worker that did not start, or ended by itself and not for a failure of the storage."""
    program = _NO_PROGRAM.search(message)
    if program:
        found = (
            "none" if program[2] in (None, "2") else "nothing that can be run (a folder, or not executable)"
        )
        return PlatformError(
            f"expected the Python {program[1]} on the executors, found {found} there; {_ANOTHER_PYTHON}"
        )
    if _NO_DAEMON in message:
        return PlatformError(
            f"expected a Python for the executors, found a program that ended at once; {_ANOTHER_PYTHON}"
        )
    if _CRASHED in message and not is_storage_s:
        return PlatformError(
            "a Python worker ended by itself: most often the system kills it where memory runs out; give the executors "
            "more memory, or fewer cores"
        )
    return None


def _is_lost_connection(error: BaseException) -> bool:
    """Whether a call found no Java process at the other end."""
    return type(error).__name__ == "Py4JNetworkError"


def as_user_error(error: Exception, kind: type[UserError], what: str) -> UserError:
    """An error of Spark's or Hadoop's as one for the user.

    What is one already stays as it is; what has a known cause outside the program is PlatformError; all else is
    `kind`, with what could not be done and why.
    """
    if isinstance(error, UserError):
        return error
    return translated(error) or kind(f"{what}: {reason_of(error)}")


def storage_failure(error: BaseException) -> str | None:
    """The class and message of the exception by which a file system or an archive ended a task, else None.

    Spark's own exceptions of the same classes, about its disks or its Python workers, are none of these: their first
    frame outside of Java's library is Spark's.
    """
    java = getattr(error, "java_exception", None)
    causes = _CAUSE.findall(str(java.getMessage() or "")) if java is not None else []
    frames = [found[1] for _, trace in causes if (found := _FRAME.search(trace))]
    return causes[-1][0] if frames and not frames[-1].startswith("org.apache.spark.") else None


def reason_of(error: BaseException) -> str:
    """The first line of what an error says, be it Java's or Python's; its kind where it says nothing."""
    java = getattr(error, "java_exception", None)
    said = str(error) if java is None else java.getMessage() or java.getClass().getName()
    return next((line.strip() for line in said.splitlines() if line.strip()), type(error).__name__)


def is_damage(error: BaseException) -> bool:
    """Whether a file system found bytes that do not fit its checksums."""
    java = getattr(error, "java_exception", None)
    return java is not None and java.getClass().getName() == "org.apache.hadoop.fs.ChecksumException"


_CURES = {
    "numpy": "expected NumPy for the executors' Python, found none; install it on every machine (pip install numpy), "
    "or point PYSPARK_PYTHON at a Python that has it",
    "nn": "expected the package nn on the executors, found none; submit with --py-files nn.zip, which `make package` "
    "builds",
    "pyspark": "expected PySpark for the executors' Python, found none; point PYSPARK_PYTHON at the Python of Spark's "
    "workers",
}
