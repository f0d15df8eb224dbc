"""Archive the classes that Spark loads, so that each JVM of the tests starts in two thirds of the time.

Java calls it class-data sharing (CDS). `python -m tests.support.java_classes` writes the archive, once for an
environment. A JVM that finds none, or one of another Java or Spark, loads its classes as ever.
"""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ARCHIVE = Path(sys.prefix) / f"spark-{version('pyspark')}.jsa"
# A JVM that lives for seconds does without its second compiler, whose work is most of what it would do.
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -Xlog:disable -Xlog:all=error:stderr"
OPTIONS = SHORT_LIVED + (f" -XX:SharedArchiveFile={ARCHIVE}" if ARCHIVE.exists() else "")
JOB = """
from pyspark import SparkContext
context = SparkContext("local[2]")
context.parallelize(range(40), 4).map(lambda x: (x % 3, x)).repartition(2).reduceByKey(max).collect()
context.textFile(__file__).cache().count()
context.broadcast([1])
context.stop()
"""


def write():
    """Run a small job whose JVM writes the archive at its end."""
    job, unfinished = ARCHIVE.with_suffix(".py"), ARCHIVE.with_suffix(".part")
    job.write_text(JOB)
    unfinished.unlink(missing_ok=True)
    submit = str(Path(sys.executable).parent / "spark-submit")
    options = f"{SHORT_LIVED} -XX:ArchiveClassesAtExit={unfinished}"
    env = {**os.environ, "SPARK_SUBMIT_OPTS": options, "PYSPARK_PYTHON": sys.executable}
    subprocess.run([submit, "--conf", "spark.ui.enabled=false", str(job)], env=env, capture_output=True)
    job.unlink()
    if unfinished.exists():
        unfinished.replace(ARCHIVE)


if __name__ == "__main__" and not ARCHIVE.exists() and " " not in str(ARCHIVE):
    write()
