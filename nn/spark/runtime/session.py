"""Start Spark: every setting the job chooses, in one place, with its reason."""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import nn.io.package
from nn.core.errors import PlatformError, add_hint, hint_of
from nn.spark.runtime import errors, installation, jvm, signals

# Settings of spark-submit, spark-defaults.conf or the cluster override these.
SETTINGS = {
    # One BLAS thread a task: tasks fill the cores already, and two pools on them halve each other's speed.
    # Spark sets OMP_NUM_THREADS itself, but an inherited OPENBLAS_NUM_THREADS or MKL_NUM_THREADS overrides it.
    "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
    "spark.executorEnv.MKL_NUM_THREADS": "1",
    # A task's partial sums of up to this size are sent in the task's own message. Above 1 MB, Spark's default, they
    # would be fetched in a second step, although the driver adds all of them up at once (nn/spark/aggregate.py).
    "spark.task.maxDirectResultSize": "32m",
    # Spark's progress bar of each job would break the lines of our own table.
    "spark.ui.showConsoleProgress": "false",
}

# Spark >= 4.1: the TCP socket between JVM and Python worker stalls some 40 ms a task on delayed acknowledgments; a
# Unix-domain socket does not. Older versions ignore the key. On YARN the socket would lie in the container's folder,
# whose path is longer than the 107 bytes that a socket's may have, and no task could start.
UNIX_SOCKETS = "spark.python.unix.domain.socket.enabled"

# These loggers print stack traces of tasks that fail or that Spark's stop interrupts, and of a start that fails. Our
# one line says the same; --debug shows the traces.
SILENCED = (
    "org.apache.spark.executor.Executor",
    "org.apache.spark.scheduler.TaskSetManager",
    "org.apache.spark.TaskContextImpl",
    "org.apache.spark.SparkContext",
)
SILENCE_TIMEOUT = 1.0  # seconds for silencing Spark where a signal interrupts its start


@contextmanager
def spark_context(name: str, debug: bool = False) -> Iterator:
    """Start a SparkContext whose executors can import nn, and stop it afterwards.

    Raises PlatformError where no Spark with RDDs can be started.
    """
    _refuse_connect(os.environ.get("SPARK_REMOTE"), "SPARK_REMOTE")
    installation.refuse_unusable()
    from pyspark import SparkConf, SparkContext

    if not debug:
        quiet_py4j()
        _quiet_py_files()
    try:
        jvm.start({"spark.ui.showConsoleProgress": "false"})
        if not debug:
            jvm.initialize_logging()
            jvm.set_log_level(SparkContext, "ERROR", SILENCED)
        conf = SparkConf()
        _refuse_connect(conf.get("spark.remote"), "spark.remote")
        conf = _with_settings(conf, name)
        _choose_python(conf)
        context = SparkContext.getOrCreate(conf)
    except KeyboardInterrupt:
        signals.in_background(lambda: _silence(SparkContext, debug)).join(SILENCE_TIMEOUT)
        raise
    except Exception as error:
        stop = signals.behind(error)
        if stop is not None:
            raise stop from None
        if debug or isinstance(error, PlatformError):
            raise
        raise PlatformError(
            f"Spark did not start: {errors.reason_of(error)}{installation.hint(error)}"
        ) from None
    with signals.Interruption(context, lambda: _silence(context, debug)):
        try:
            context.setLogLevel("INFO") if debug else jvm.set_log_level(context, "ERROR", SILENCED)
            ship_package(context)
            yield context
        except Exception as error:
            cause = signals.behind(error) if debug else cause_of(context, error)
            if cause is None or cause is error:
                raise
            add_hint(cause, hint_of(error))
            raise cause from None
        finally:
            _stop(context)


def cause_of(context, error: BaseException) -> BaseException:
    """Return what an error comes from: a signal, a known cause as a UserError, Spark's end; else the error itself."""
    known = signals.behind(error) or errors.translate(error)
    if known is None and errors.is_from_java(error):
        with suppress(Exception):
            if jvm.is_stopped(context):  # then any call may fail
                return PlatformError(errors.STOPPED)
    return known or error


def _with_settings(conf, name: str):
    for key, value in SETTINGS.items():
        conf.setIfMissing(key, value)
    conf.setIfMissing("spark.app.name", name)
    conf.setIfMissing("spark.master", "local[*]")
    if not conf.get("spark.master").startswith("yarn"):
        conf.setIfMissing(UNIX_SOCKETS, "true")
    return conf


def _choose_python(conf) -> None:
    """Run the tasks of a local master with the Python of this program, unless the user has chosen another.

    Spark's default is the first python3 on PATH, which may have no NumPy.
    """
    is_chosen = "PYSPARK_PYTHON" in os.environ or conf.contains("spark.pyspark.python")
    if conf.get("spark.master").startswith("local") and not is_chosen:
        os.environ["PYSPARK_PYTHON"] = sys.executable


def _stop(context) -> None:
    """Stop Spark. Errors are ignored: after Ctrl-C its JVM may have ended already.

    A signal interrupts only the stopping: the program's work is done, or has failed already.
    """
    with suppress(Exception, KeyboardInterrupt):
        context.stop()


def _refuse_connect(remote: str | None, setting: str) -> None:
    """Raise PlatformError where a setting names a server of Spark Connect."""
    if remote:
        raise PlatformError(
            f"expected a classic Spark session, found {setting}={remote}: Spark Connect has no RDDs; submit to a Spark "
            "master with --master"
        )


def quiet_py4j() -> None:
    """Keep py4j from logging a stack trace of each call that a signal or the JVM's end interrupts.

    The error is raised as well.
    """
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_is_not_py4j_trace)


def _quiet_py_files() -> None:
    """Drop PySpark's warning of a page that --py-files are not at the path where they were submitted.

    In YARN's cluster mode that is so, and they are on the driver's path already: this package was imported from there.
    """
    warnings.filterwarnings("ignore", "Failed to add file", RuntimeWarning)


def _is_not_py4j_trace(record: logging.LogRecord) -> bool:
    return "while sending command" not in str(record.msg)


def _silence(context, debug: bool) -> None:
    """Stop Spark's logging, so that it does not report how it is interrupted. Errors are ignored."""
    if not debug:
        with suppress(Exception):
            jvm.set_log_level(context, "OFF", SILENCED)


def shows_on_terminal(context) -> bool:
    """Return whether the output goes to a terminal.

    spark-submit reads the output of its Python program through a pipe and prints it itself. Then the terminal belongs
    to the Java process.
    """
    return sys.stdout.isatty() or jvm.has_terminal(context)


def ship_package(context) -> None:
    """Send the package nn to the executors, once per application, unless spark-submit's --py-files did already.

    Spark adds the main script's folder to the driver's path alone.
    """
    with _lock:
        if context.applicationId not in _shipped and not nn.io.package.is_zipped():
            context.addPyFile(package_file())
            _shipped.add(context.applicationId)


def package_file() -> str:
    """Return the path of a zip file with the package nn: the one that this code runs from, else a new one."""
    try:
        return nn.io.package.own_zip() if nn.io.package.is_zipped() else nn.io.package.temporary_zip()
    except OSError as error:
        raise PlatformError(
            f"cannot write nn.zip to the folder for temporary files (TMPDIR): {error.strerror}"
        ) from error


_lock = threading.Lock()  # tuners of nn.ml fit and transform in threads
_shipped: set[str] = set()  # the applications whose executors have the package
