"""Translate errors of Spark and Java, which fill a hundred lines, into one line that says what to do."""

from __future__ import annotations

import errno
import re
import sys
from typing import Any

from nn.core.errors import DataError, PlatformError, UsageError, UserError

_VERSIONS = re.compile(r"Python in worker has different version:? \(?(\d+)(?:\.|, )(\d+)")
_NO_MODULE = re.compile(r"ModuleNotFoundError: No module named '(numpy|nn|pyspark|pyarrow)(?:\.[\w.]*)?'")
_NO_PROGRAM = re.compile(r'Cannot run program "([^"]+)"(?:[^\n]*?error[=:] ?(\d+))?')
_NO_DAEMON = "reading the port number from pyspark.daemon"
_CRASHED = "Python worker exited unexpectedly"
_NO_CONNECTOR = re.compile(r"ClassNotFoundException|NoClassDefFoundError|No FileSystem for scheme")
_COLON_IN_NAME = re.compile(r"Relative path in absolute URI: (\S+)")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_SPARK = "org.apache.spark."
# An exception that ended a task or caused the one that did: class and message, then its frames.
_CAUSE = re.compile(
    r"(?:\): |Caused by: )((?:java\.io|java\.net|java\.util\.zip|javax\.net|org\.apache\.h(?:adoop|ttp)"
    r"|software\.amazon|com\.(?:amazonaws|azure|google|microsoft))\.[\w.]+(?:: [^\n]*)?)((?:\n\s+at [^\n]*)*)"
)
# The last line of a Python traceback: its own source lines do not match.
_ERROR = re.compile(r"[\w.]*Error\w*(: .*)?")
_FRAME = re.compile(r"\n\s+at (?:[\w.@-]+/)?(?!java\.|javax\.|jdk\.|sun\.|scala\.)([\w.$]+)")
# A connection to a store that broke off, could not be made, or gave half an answer: nothing is wrong with the file.
_NETWORK = re.compile(
    r"Connection closed prematurely|Premature end of|ConnectionClosedException|Connection (reset|refused)|Broken pipe"
    r"|SocketTimeoutException|Read timed out|NoHttpResponseException|UnknownHostException"
    r"|no JSON input found|JsonEOFException|Unexpected end-of-input"
)
_DEEPEST = 10  # causes of causes that are looked at; a chain of them may be a ring
_OF_DISKS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.ENOENT)

STOPPED = (
    "Spark stopped by itself: it was ended from outside, its master is gone, or turned this application away (do both "
    "know the same spark.authenticate.secret?)"
)
GONE = (
    "Spark's Java process ended by itself: most often it is killed where memory runs out; give it less to do at once, "
    "or more memory with --driver-memory"
)
# Of Spark Connect: what a message says, and the line for it.
_CONNECT_CAUSES = (
    (
        re.compile(r"StatusCode\.UNAVAILABLE"),
        "the server of Spark Connect does not answer: it has ended, or cannot be reached",
    ),
    (re.compile(r"INVALID_HANDLE\.SESSION"), "the session of Spark Connect has ended: make a new one"),
    (
        re.compile(r"larger than max|exceeds maximum size|LARGER_THAN_MAX"),
        "parameters travel in the plan of a job, which here is larger than Spark Connect takes: allow more "
        "(grpc.max_send_message_length among the options of the client's channel, "
        "spark.connect.grpc.maxInboundMessageSize on the server), or use a classic session",
    ),
)
_ANOTHER_PYTHON = "point PYSPARK_PYTHON, or --conf spark.pyspark.python, at one that every machine has"
_MISSING_MODULES = {
    "numpy": "expected NumPy for the executors' Python, found none; install it on every machine (pip install numpy), "
    "or point PYSPARK_PYTHON at a Python that has it",
    "nn": "expected the package nn on the executors, found none; submit with --py-files nn.zip, which `make package` "
    "builds",
    "pyarrow": "expected pyarrow for the executors' Python, which Spark Connect needs, found none; install it on every "
    "machine (pip install pyarrow)",
    "pyspark": "expected PySpark for the executors' Python, found none; point PYSPARK_PYTHON at the Python of Spark's "
    "workers",
}


def translate(error: BaseException, path: str = "", argument: str = "") -> UserError | None:
    """Return an error of Spark or Java as one line for the user; None where its cause is not known.

    A UserError is returned as it is. Causes in the cluster are PlatformErrors. Give the `path` that was opened or read,
    and the command line's `argument` for it, to find causes in its name, its file system and its content as well.
    """
    if isinstance(error, UserError):
        return error
    java = _java_exception(error)
    if java is None and not _is_captured(error):
        # Not isinstance: py4j is imported only once Spark starts.
        return PlatformError(GONE) if type(error).__name__ == "Py4JNetworkError" else None
    message = str(error if java is None else java.getMessage() or "")
    cause = _cluster_cause(message, _storage_failure(message) is not None)
    if cause is None and path and java is not None:
        return _path_cause(java.getClass().getName(), message, path, argument)
    return cause


def as_user_error(
    error: Exception, kind: type[UserError], what: str, path: str = "", argument: str = ""
) -> UserError:
    """Return the error that `translate` returns, else one of `kind`: what could not be done, and the error's reason.

    Where a connection broke off it is a PlatformError: another try may succeed.
    """
    known = translate(error, path, argument)
    if known is not None:
        return known
    reason = reason_of(error)
    if is_of_network(f"{reason}\n{error}"):
        kind = PlatformError
    return kind(f"{what}: {reason}")


def reason_of(error: BaseException) -> str:
    """Return the line of an error's message that names its reason, or the error's class where it has no message.

    This is the error line of the last Python traceback in the message, else the exception by which a storage ended a
    task, else the first line. An IOException that wraps or collects others, as those of object stores do, gets the
    first line of the innermost.
    """
    java = _java_exception(error)
    message = str(error) if java is None else java.getMessage() or java.getClass().getName()
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    traces = [number for number, line in enumerate(lines) if "Traceback (most recent call last)" in line]
    for line in lines[traces[-1] + 1 :] if traces else ():
        if _ERROR.fullmatch(line):
            return line
    failure = _storage_failure(message)
    if failure is not None:
        return failure
    if java is not None and java.getClass().getName() == "java.io.IOException":
        innermost = str(_innermost(java).getMessage() or "").strip().partition("\n")[0]
        if innermost and innermost not in message:
            return f"{lines[0]} ({innermost})" if lines else innermost
    return lines[0] if lines else type(error).__name__


def is_of_network(reason: str) -> bool:
    """Return whether the reason of an error is a connection that broke off, or could not be made."""
    return _NETWORK.search(reason) is not None


def _innermost(java: Any) -> Any:
    """Return the cause of a Java exception, or the first that it collects, and of that one, and so on."""
    for _ in range(_DEEPEST):
        inside = [java.getCause(), *java.getSuppressed()]
        found = next((each for each in inside if each is not None), None)
        if found is None:
            break
        java = found
    return java


def is_from_java(error: BaseException) -> bool:
    """Return whether a Java exception is behind an error."""
    return _java_exception(error) is not None or _is_captured(error)


def is_damage(error: BaseException) -> bool:
    """Return whether a file system read bytes that do not match its checksums."""
    java = _java_exception(error)
    return java is not None and java.getClass().getName() == "org.apache.hadoop.fs.ChecksumException"


def disk_error(error: BaseException | None) -> OSError | None:
    """Return the disk's error during whose handling an error was raised, if any; connections raise OSErrors, too."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _OF_DISKS:
            return error
        error = error.__context__
    return None


def colon_in_name(path: str, argument: str) -> UsageError:
    """Return the error for a name that Hadoop would read as a scheme and a path."""
    return UsageError(
        f"{argument}: expected names without a colon, which Spark cannot read, found {path}; rename the file or folder"
    )


def _java_exception(error: BaseException) -> Any:
    """Return the Java exception that py4j puts into its Py4JJavaError, and Spark SQL into its own errors, else None."""
    return getattr(error, "java_exception", None) or getattr(error, "_origin", None)


def _is_captured(error: BaseException) -> bool:
    """Return whether PySpark has made an error of its own of a Java exception, as it does once Spark SQL is used."""
    return type(error).__module__.startswith("pyspark.errors")


def _cluster_cause(message: str, is_storage_failure: bool) -> PlatformError | None:
    """Return the line for a cause in the cluster, or in the Python of its executors."""
    versions = _VERSIONS.search(message)
    if versions:
        driver = f"{sys.version_info.major}.{sys.version_info.minor}"
        return PlatformError(
            f"expected Python {driver} on the executors, as on the driver, found {versions[1]}.{versions[2]}; "
            "point PYSPARK_PYTHON, or --conf spark.pyspark.python, at the same Python everywhere"
        )
    if "stopped SparkContext" in message or "SparkContext was shut down" in message:
        return PlatformError(STOPPED)
    module = _NO_MODULE.search(message)
    if module:
        return PlatformError(_MISSING_MODULES[module[1]])
    program = _NO_PROGRAM.search(message)
    if program:
        is_missing = program[2] in (None, "2")
        found = "none" if is_missing else "nothing that can be run (a folder, or not executable)"
        return PlatformError(
            f"expected the Python {program[1]} on the executors, found {found} there; {_ANOTHER_PYTHON}"
        )
    if _NO_DAEMON in message:
        return PlatformError(
            f"expected a Python for the executors, found a program that ended at once; {_ANOTHER_PYTHON}"
        )
    for sign, line in _CONNECT_CAUSES:
        if sign.search(message):
            return PlatformError(line)
    # A worker also exits where the storage fails while the JVM sends it lines.
    if _CRASHED in message and not is_storage_failure:
        return PlatformError(
            "a Python worker ended by itself: most often the system kills it where memory runs out; give the executors "
            "more memory, or fewer cores"
        )
    return None


def _path_cause(java_class: str, message: str, path: str, argument: str) -> UserError | None:
    """Return the line for a cause in the name, the file system or the content of a path."""
    # Spark's own exceptions, those of failed jobs, quote stack traces that may name any class.
    if not java_class.startswith(_SPARK):
        if _NO_CONNECTOR.search(f"{java_class}: {message}"):
            return _no_connector(path, argument)
        name = _COLON_IN_NAME.search(message)
        if name:
            return colon_in_name(name[1], argument)
    failure = _storage_failure(message)
    if failure is None:
        return None
    kind = PlatformError if is_of_network(failure) else DataError
    return kind(f"{argument}: cannot read {path}: {failure}")


def _no_connector(path: str, argument: str) -> PlatformError:
    match = _SCHEME.match(path)
    scheme = match[1] if match else "its file system"
    instead = (
        "name a folder of this machine" if argument == "OUTPUT" else "copy the data to this machine first"
    )
    return PlatformError(
        f"{argument}: this Spark has no connector for {scheme}:// ({path}): add one with --packages or --jars, "
        f"or {instead}"
    )


def _storage_failure(message: str) -> str | None:
    """Return class and message of the exception by which a file system or an archive ended a task, else None.

    Spark raises exceptions of the same classes about its own disks and Python workers. Their first frame outside of
    Java's library is Spark's.
    """
    causes = _CAUSE.findall(message)
    frames = [frame[1] for _, trace in causes if (frame := _FRAME.search(trace))]
    return causes[-1][0] if frames and not frames[-1].startswith(_SPARK) else None
