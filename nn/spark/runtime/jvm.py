"""Reach the Java objects behind a SparkContext and an RDD, through attributes that PySpark keeps private.

PySpark does not document `_jvm`, `_jsc`, `_jrdd`, `_gateway` and their like, and may change them in any version. So no
other file uses them (tests/test_imports.py). Each function names the attributes that it uses and says why nothing
public does the same. pyspark is imported inside the functions, since the programs start without it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote


class ExecutorInfo(NamedTuple):
    """One executor, or the driver, in Spark's own accounts."""

    name: str  # Spark's id; "driver" for the driver, which is the only executor of a local master
    slots: int  # tasks that it runs at once
    storage: int  # bytes of its memory for cached blocks; 0 until it has reported them
    free_storage: int  # bytes of these that are free


# ---- the process ----


def is_started() -> bool:
    """Return whether this program is connected to a JVM.

    Uses `SparkContext._gateway`: the public `SparkContext.getOrCreate` would start a context.
    """
    from pyspark import SparkContext

    return SparkContext._gateway is not None


def start(settings: dict[str, str]) -> None:
    """Start a JVM with these Spark settings, or connect to that of spark-submit, without creating a context.

    Uses `SparkContext._gateway` and `_ensure_initialized`: PySpark's own start takes no arguments of the process. A JVM
    that is started here leads a process group of its own. A signal to the group of this program, as `timeout` and
    service managers send it, would end Java during the calls that write the last checkpoint. The JVM ends with this
    program in any case, whose end closes its stdin.
    """
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway

    if SparkContext._gateway is None:
        conf = SparkConf(loadDefaults=False).setAll(list(settings.items()))
        SparkContext._ensure_initialized(gateway=launch_gateway(conf, {"start_new_session": True}))


def py4j_client(context: Any) -> Any:
    """Return the client whose `send_command` carries every call into Java.

    Uses `_gateway` and its `_gateway_client`: PySpark has no hook around a call, which a signal must not interrupt.
    """
    return context._gateway._gateway_client


def standard_error() -> Any:
    """Return Java's System.err over a new connection: on another, a call that was cut short may have left its answer.

    Uses `pyspark.java_gateway`, which is not documented: a context has one connection only.
    """
    from pyspark.java_gateway import launch_gateway

    return launch_gateway().jvm.System.err


def deploy_mode() -> str:
    """Return spark-submit's --deploy-mode: client or cluster. Uses `launch_gateway` as `standard_error` does.

    A SparkConf needs a context's JVM, and a program may fail before there is one.
    """
    from pyspark.java_gateway import launch_gateway

    return str(launch_gateway().jvm.System.getProperty("spark.submit.deployMode") or "client")


def java_version(context: Any) -> str:
    """Return the version of the driver's Java, as "17.0.15". Uses `_jvm`: Spark shows it on its web page only."""
    return context._jvm.System.getProperty("java.version")


def has_terminal(context: Any) -> bool:
    """Return whether the JVM's stdin and stdout are a terminal. Uses `_jvm`: under spark-submit, Python's are pipes."""
    system = context._jvm.System
    console = system.console()
    if console is None:
        return False
    # From Java 22 on there is a console everywhere, and it says whether it is a terminal.
    version = str(system.getProperty("java.specification.version"))
    return not version.isdigit() or int(version) < 22 or console.isTerminal()


def initialize_logging() -> None:
    """Let Spark set its log levels now: it sets them when it first logs, which would overwrite levels set before that.

    Uses `SparkContext._jvm`, since no context exists yet.
    """
    from pyspark import SparkContext

    SparkContext._jvm.org.apache.spark.SparkConf().initializeLogIfNecessary(False, True)  # type: ignore[union-attr]


def set_log_level(context: Any, level: str, silenced: Iterable[str] = ()) -> None:
    """Set the root logger's level and turn off the loggers named in `silenced`.

    `context` may be the class SparkContext before one is created. Uses `_jvm`: `SparkContext.setLogLevel` needs a
    context and sets the root alone.
    """
    log4j = context._jvm.org.apache.logging.log4j
    log4j.core.config.Configurator.setRootLevel(log4j.Level.valueOf(level))
    for logger in silenced:
        log4j.core.config.Configurator.setLevel(logger, log4j.Level.OFF)


def temporary_folder(context: Any) -> str:
    """Return the folder on the driver into which PySpark writes broadcasts. Uses `_temp_dir`: no setting names it."""
    return context._temp_dir


# ---- the context ----


def is_local(context: Any) -> bool:
    """Return whether the driver runs the tasks itself. Uses `_jsc`: a master's URL would have to be parsed."""
    return context._jsc.sc().isLocal()


def is_stopped(context: Any) -> bool:
    """Return whether Spark has stopped. Uses `_jsc`: PySpark does not notice a context that its JVM has stopped."""
    return context._jsc.sc().isStopped()


def size_in_bytes(context: Any, key: str, default: str) -> int:
    """Return a setting that is a size such as "2g" or "512", of MiB without a unit. Uses `_jsc`: Java parses sizes."""
    return context._jsc.sc().conf().getSizeAsMb(key, default) << 20


def executors(context: Any) -> list[ExecutorInfo]:
    """Return the driver and the executors that are registered now.

    Uses `_jsc`: PySpark has `statusTracker`, which knows jobs and stages but no executors.
    """
    scala = context._jsc.sc()
    # Not SparkEnv's block manager: on Spark 4.3 py4j cannot open that class without a library that pip's Spark lacks.
    summaries = scala.statusStore().executorList(True)
    # The status store's own account of used memory only grows where blocks are broadcast and destroyed.
    memory = scala.getExecutorMemoryStatus()
    infos = []
    for summary in map(summaries.apply, range(summaries.size())):
        storage = summary.maxMemory()
        status = memory.get(summary.hostPort())  # Option of (bytes, free bytes)
        free = status.get()._2() if status.isDefined() else storage
        infos.append(ExecutorInfo(summary.id(), summary.maxTasks(), storage, free))
    return infos


def executors_of_tasks(context: Any, stage: int, limit: int) -> dict[int, str]:
    """Return the name of the executor that ran each of a stage's first `limit` tasks, by the task's index.

    Uses `_jsc`: a task cannot ask for the name of its own executor.
    """
    tasks = context._jsc.sc().statusStore().taskList(stage, 0, limit)
    return {task.index(): task.executorId() for task in map(tasks.apply, range(tasks.size()))}


# ---- RDDs ----


def input_splits(lines: Any) -> list[tuple[str, int, int]]:
    """Return (path, first byte, bytes) of each partition of an RDD that `textFile` made.

    Uses `_jrdd`: PySpark tells the number of the partitions alone.
    """
    splits = [partition.inputSplit().value() for partition in lines._jrdd.rdd().partitions()]
    return [(split.getPath().toString(), split.getStart(), split.getLength()) for split in splits]


def has_hosts(lines: Any) -> bool:
    """Return whether the storage names hosts for an RDD's bytes, as HDFS does; local disks and object stores do not.

    Uses `_jrdd`: PySpark does not know where a partition prefers to run.
    """
    rdd = lines._jrdd.rdd()
    return not rdd.preferredLocations(rdd.partitions()[0]).isEmpty()


def take(lines: Any, count: int) -> list[str]:
    """Return the first lines of an RDD that `textFile` made, without a Python worker.

    Uses `_jrdd`: `RDD.take` starts a Python worker on an executor, which takes longer.
    """
    return list(lines._jrdd.take(count))


def vector_to_array(column: Any, dtype: str) -> Any:
    """Return a column of ML vectors as arrays of "float32" or "float64".

    Uses `_jvm` and `_jc` on Spark 3.5, whose `pyspark.ml.functions` cannot be imported without pandas.
    """
    try:
        from pyspark.ml.functions import vector_to_array
    except ImportError:
        return _ml_function("vector_to_array", column, dtype)
    return vector_to_array(column, dtype)


def array_to_vector(column: Any) -> Any:
    """Return a column of arrays of numbers as dense ML vectors. Uses `_jvm` and `_jc` as `vector_to_array` does."""
    try:
        from pyspark.ml.functions import array_to_vector
    except ImportError:
        return _ml_function("array_to_vector", column)
    return array_to_vector(column)


def _ml_function(name: str, column: Any, *arguments: Any) -> Any:
    from pyspark import SparkContext
    from pyspark.sql import Column

    functions = SparkContext._active_spark_context._jvm.org.apache.spark.ml.functions  # type: ignore[union-attr]
    return Column(getattr(functions, name)(column._jc, *arguments))


# ---- Hadoop's file systems ----


def hadoop_configuration(context: Any) -> Any:
    """Return the Hadoop Configuration of a context. Uses `_jsc`: PySpark cannot read or change it."""
    return context._jsc.hadoopConfiguration()


def hadoop_path(context: Any, *parts: Any) -> Any:
    """Return the Hadoop Path of a text, or of a parent Path and a name.

    Uses `_jvm`: PySpark gives no access to file systems.
    """
    return context._jvm.org.apache.hadoop.fs.Path(*parts)


def file_context(context: Any, configuration: Any, path: Any) -> Any:
    """Return the FileContext for a Path, whose `rename` can overwrite. Uses `_jvm`, as `hadoop_path` does."""
    return context._jvm.org.apache.hadoop.fs.FileContext.getFileContext(path.toUri(), configuration)


def overwrite_options(context: Any) -> Any:
    """Return the options that let FileContext.rename overwrite. Uses `_jvm` and `_gateway`, for an array of Java's."""
    rename = getattr(context._jvm.org.apache.hadoop.fs, "Options$Rename")
    options = context._gateway.new_array(rename, 1)
    options[0] = rename.OVERWRITE
    return options


def read_exactly(context: Any, stream: Any, size: int) -> bytes:
    """Read `size` bytes of a Java stream; Java raises an IOException where it has fewer.

    Uses `_jvm`: py4j passes arrays by value, so that Java cannot fill one of Python's.
    """
    return bytes(context._jvm.org.apache.commons.io.IOUtils.toByteArray(stream, size))


def read_at_most(context: Any, stream: Any, size: int) -> bytes:
    """Read up to `size` bytes of a Java stream, fewer only at its end. Uses `_jvm`, as `read_exactly` does."""
    io = context._jvm.org.apache.commons.io
    return bytes(io.IOUtils.toByteArray(io.input.BoundedInputStream(stream, size)))


def decompressed(context: Any, configuration: Any, path: Any, stream: Any) -> Any:
    """Return the stream that decompresses a file's stream, by the file's name; the same stream where it is plain.

    Uses `_jvm`: only Hadoop knows the codecs that are installed.
    """
    codecs = context._jvm.org.apache.hadoop.io.compress.CompressionCodecFactory(configuration)
    codec = codecs.getCodec(path)
    return stream if codec is None else codec.createInputStream(stream)


# ---- DataFrames ----


def estimated_bytes(frame: Any) -> int:
    """Return Spark's estimate of the bytes of a DataFrame. Uses `_jdf`: PySpark does not tell it."""
    return int(str(frame._jdf.queryExecution().optimizedPlan().stats().sizeInBytes()))


def pickled_elements(frame: Any) -> Any:
    """Return the RDD of what is pickled in the rows of a DataFrame of one binary column.

    Uses `_jdf` and `_jvm`: frame.rdd would send all bytes through one more Python process and pickle them again.
    """
    from pyspark import RDD
    from pyspark.serializers import CPickleSerializer

    context = frame.sparkSession.sparkContext
    values = getattr(frame._jdf, "as")(context._jvm.org.apache.spark.sql.Encoders.BINARY())
    return RDD(values.toJavaRDD(), context, CPickleSerializer())


def frame_of_elements(elements: Any, session: Any) -> Any:
    """Return a DataFrame of one binary column with the elements of an RDD, pickled as the RDD's serializer does it.

    A row holds one element, or a list of several. Uses `_jrdd`, `_jsparkSession` and `_jvm`: createDataFrame would send
    all bytes through one more Python process.
    """
    from pyspark.sql import DataFrame

    binary = session.sparkContext._jvm.org.apache.spark.sql.Encoders.BINARY()
    return DataFrame(session._jsparkSession.createDataset(elements._jrdd.rdd(), binary).toDF(), session)


def file_splits(frame: Any) -> list[tuple[str, int, int]] | None:
    """Return (path, first byte, bytes) of each partition of a DataFrame that reads files.

    None where it reads no files, or several pieces of files in one partition. Uses `_jdf`: PySpark tells the number of
    the partitions alone.
    """
    rdd = frame._jdf.queryExecution().toRdd()
    while not rdd.getClass().getName().endswith(".FileScanRDD"):
        dependencies = rdd.dependencies()
        if dependencies.size() != 1:
            return None
        rdd = dependencies.head().rdd()
    partitions = rdd.filePartitions()
    splits = []
    for partition in map(partitions.apply, range(partitions.size())):
        files = partition.files()
        if len(files) != 1:
            return None
        splits.append((unquote(files[0].urlEncodedPath()), files[0].start(), files[0].length()))
    return splits
