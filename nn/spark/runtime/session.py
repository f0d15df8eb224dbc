"""Start Spark: every setting the job chooses, in one place, with its reason."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import nn.io.package
from nn.core.errors import PlatformError, UserError, add_hint, hint_of
from nn.spark.runtime import errors, installation, jvm, signals

# What spark-submit, spark-defaults.conf or the cluster sets wins over each of these.
SETTINGS = {
    # One BLAS thread a task: tasks fill the cores already, and two pools on them halve each other's speed.
    # Spark sets OMP_NUM_THREADS itself, but an inherited OPENBLAS_NUM_THREADS or MKL_NUM_THREADS overrides it.
    "spark.executorEnv.OPENBLAS_NUM_THREADS": "1",
    "spark.executorEnv.MKL_NUM_THREADS": "1",
    # Spark >= 4.1: the TCP socket between JVM and Python worker stalls some 40 ms a task on delayed
    # acknowledgements; a Unix-domain socket does not. Older versions ignore the key.
    "spark.python.unix.domain.socket.enabled": "true",
    # A tally of up to so many bytes comes home in the task's own message; beyond 1 MB, Spark's default, the driver
    # would be told where it lies and fetch it. The driver adds all of them up at once anyway (nn/spark/aggregate.py).
    "spark.task.maxDirectResultSize": "32m",
    # The bar Spark draws for each job would run through our own table.
    "spark.ui.showConsoleProgress": "false",
}

# These print screens of stack trace for a failed task, a task amid which Spark is stopped, or a start that fails, which
# our one line repeats; --debug shows them.
SILENCED = (
    "org.apache.spark.executor.Executor",
    "org.apache.spark.scheduler.TaskSetManager",
    "org.apache.spark.TaskContextImpl",
    "org.apache.spark.SparkContext",
)
HUSHED = 1.0  # seconds that silencing Spark may take where its start is cut short


@contextmanager
def spark_context(name: str, debug: bool = False) -> Iterator:
    """A SparkContext that can import nn on its executors, stopped on leaving.

    Raises PlatformError where no Spark with RDDs can be had.
    """
    _refuse_connect()
    installation.refuse_unfit()
    from pyspark import SparkConf, SparkContext

    if not debug:
        quiet_bridge()
    try:
        jvm.start({"spark.ui.showConsoleProgress": "false"})
        if not debug:
            jvm.initialize_logging()
            jvm.set_log_level(SparkContext, "ERROR", SILENCED)
        conf = _with_settings(SparkConf(), name)
        _choose_python(conf)
        context = SparkContext.getOrCreate(conf)
    except KeyboardInterrupt:
        signals.in_background(lambda: _hush(SparkContext, debug)).join(HUSHED)
        raise
    except Exception as error:
        stop = signals.behind(error)
        if stop is not None:
            raise stop from None
        if debug:
            raise
        raise PlatformError(
            f"Spark did not start: {errors.reason_of(error)}{installation.hint(error)}"
        ) from None
    with signals.Interruption(context, lambda: _hush(context, debug)):
        try:
            context.setLogLevel("INFO") if debug else jvm.set_log_level(context, "ERROR", SILENCED)
            ship_package(context)
            yield context
        except Exception as error:
            cause = signals.behind(error) or (None if debug else _known_cause(context, error))
            if cause is None:
                raise
            add_hint(cause, hint_of(error))
            raise cause from None
        finally:
            _stop(context)


def _known_cause(context, error: Exception) -> UserError | None:
    """Return the error as one line for the user, if its cause is known; after Spark has stopped, any call may fail."""
    known = errors.translate(error)
    if known is None and errors.is_from_java(error):
        with suppress(Exception):
            if jvm.is_stopped(context):
                return PlatformError(errors.STOPPED)
    return known


def _with_settings(conf, name: str):
    for key, value in SETTINGS.items():
        conf.setIfMissing(key, value)
    conf.setIfMissing("spark.app.name", name)
    conf.setIfMissing("spark.master", "local[*]")
    return conf


def _choose_python(conf) -> None:
    """Let the tasks of a local master run on the Python that runs this, where the user has named none.

    Spark's own choice is the first python3 on PATH, which outside an active environment may have no NumPy.
    """
    named = "PYSPARK_PYTHON" in os.environ or conf.contains("spark.pyspark.python")
    if conf.get("spark.master").startswith("local") and not named:
        os.environ["PYSPARK_PYTHON"] = sys.executable


def _stop(context) -> None:
    """Stop Spark; after Ctrl-C its Java half may be gone already, which is nobody's concern then.

    A signal that comes now ends the stopping alone: what the program was to do is done, or has failed already.
    """
    with suppress(Exception, KeyboardInterrupt):
        context.stop()


def _refuse_connect() -> None:
    if os.environ.get("SPARK_REMOTE"):
        raise PlatformError(
            "SPARK_REMOTE is set: Spark Connect has no RDDs; submit to a classic Spark master with --master"
        )


def quiet_bridge() -> None:
    """Keep Python's bridge to Java from logging a trace of each call that a signal or a JVM's end cuts short.

    The error that says so is raised as well.
    """
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_is_no_trace_of_the_bridge)


def _is_no_trace_of_the_bridge(record: logging.LogRecord) -> bool:
    return "while sending command" not in str(record.msg)


def _hush(context, debug: bool) -> None:
    """Keep Spark from logging how it ends, as far as it still answers."""
    if not debug:
        with suppress(Exception):
            jvm.set_log_level(context, "OFF", SILENCED)


def shows_on_terminal(context) -> bool:
    """Whether what is printed reaches a person at a terminal.

    spark-submit reads its Python program's output through a pipe and prints it itself: then the terminal is the
    Java process's.
    """
    return sys.stdout.isatty() or jvm.has_terminal(context)


def ship_package(context) -> None:
    """Give nn to the executors, unless spark-submit's --py-files did already.

    Spark puts nothing but the main script's folder on the driver's path, and nothing on an executor's.
    """
    if nn.io.package.is_zipped():
        return
    try:
        context.addPyFile(nn.io.package.temporary_zip())
    except OSError as error:
        raise PlatformError(
            f"cannot write nn.zip to the folder for temporary files (TMPDIR): {error.strerror}"
        ) from error
