"""Faults of a cluster that Spark tells in a hundred lines, each as one line that says what to do."""

from __future__ import annotations

import re
import sys

from nn.errors import EnvironmentFault

_VERSIONS = re.compile(r"Python in worker has different version:? \(?(\d+)(?:\.|, )(\d+)")
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(numpy|nn|pyspark)(?:\.[\w.]*)?'")
_NO_PROGRAM = re.compile(r'Cannot run program "([^"]+)"')

STOPPED = (
    "Spark stopped by itself: it was ended from outside, its master is gone, or turned this application away (do both "
    "know the same spark.authenticate.secret?)"
)


def translated(error: BaseException) -> EnvironmentFault | None:
    """The line for an error of Spark's that has a known cause outside the program, else None."""
    java = getattr(error, "java_exception", None)
    if java is None:
        return None
    told = str(java.getMessage() or "")
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    versions = _VERSIONS.search(told)
    if versions:
        return EnvironmentFault(
            f"expected Python {here} on the executors, as on the driver, found {versions[1]}.{versions[2]}; "
            "point PYSPARK_PYTHON, or --conf spark.pyspark.python, at the same Python everywhere"
        )
    if "stopped SparkContext" in told or "SparkContext was shut down" in told:
        return EnvironmentFault(STOPPED)
    missing = _NO_MODULE.search(told)
    if missing:
        return EnvironmentFault(_CURES[missing[1]])
    program = _NO_PROGRAM.search(told)
    if program:
        return EnvironmentFault(
            f"expected the Python {program[1]} on the executors, found none there; "
            "point PYSPARK_PYTHON, or --conf spark.pyspark.python, at one that every machine has"
        )
    return None


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
