"""Check that Spark can be started here: pyspark, a SPARK_HOME of the same version, a Java that this Spark supports.

If spark-submit has started this program, Java runs already, and only pyspark is checked.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import subprocess
import sys
from typing import NamedTuple

from nn.core.errors import PlatformError
from nn.spark.runtime import jvm

JAVA_TIMEOUT = 60.0  # seconds for `java -version`


class Javas(NamedTuple):
    """The Java versions that a version of Spark supports."""

    oldest: int
    newest: int
    words: str


# From Spark's documentation. Spark 3.5 runs on 21 as well; Hadoop's client in 4.0 and 4.1 fails from 23 on.
_JAVAS = (
    ((4, 2), Javas(17, 25, "Java 17 or newer")),
    ((4, 0), Javas(17, 22, "Java 17 or 21")),
    ((3, 5), Javas(8, 21, "Java 8, 11 or 17")),
)


class Java(NamedTuple):
    """The Java that Spark's scripts start, and why it does not run."""

    source: str  # "JAVA_HOME=..." or "the java on PATH"
    version: str | None  # as "17.0.15"; None where no Java runs
    fault: str  # empty where it runs


def refuse_unusable() -> None:
    """Raise PlatformError where Spark cannot start here: one line, instead of the many that Java would print."""
    _refuse_no_pyspark()
    import pyspark

    if "PYSPARK_GATEWAY_PORT" in os.environ or jvm.is_started():
        return
    _refuse_another_spark(pyspark.__version__)
    if not _has_settings_script():
        _refuse_java(pyspark.__version__)


def _refuse_no_pyspark() -> None:
    install = f"install it with: {sys.executable} -m pip install pyspark"
    try:
        from pyspark import SparkContext  # noqa: F401
    except ModuleNotFoundError as missing:
        if missing.name not in ("pyspark", "py4j"):
            raise
        raise PlatformError(f"no Python module named {missing.name} here; {install}") from None
    except ImportError:
        raise PlatformError(
            f"the pyspark of this Python has no RDDs, as that of Spark Connect's client; {install}"
        ) from None


def _refuse_another_spark(version: str) -> None:
    """Raise PlatformError where SPARK_HOME, whose jars would be used, is not a Spark of pyspark's version."""
    home = os.environ.get("SPARK_HOME")
    if home is None:
        return
    if not os.path.isfile(os.path.join(home, "bin", "spark-submit")):
        raise PlatformError(
            f"no Spark at SPARK_HOME={home} (it has no bin/spark-submit): unset SPARK_HOME, or set it to a "
            f"Spark {_short(version)}"
        )
    other = version_at(home)
    if other is not None and _number(other) != _number(version):
        raise PlatformError(
            f"the pyspark of this Python is {version}, SPARK_HOME={home} is {other}: unset SPARK_HOME or use its "
            "spark-submit"
        )


def version_at(home: str) -> str | None:
    """Return the version of the Spark in a folder, from the name of its core's jar; None where there is no jar."""
    for jar in sorted(glob.glob(os.path.join(glob.escape(home), "jars", "spark-core_*.jar"))):
        match = re.fullmatch(r"spark-core_[\d.]+-(\d.*)\.jar", os.path.basename(jar))
        if match:
            return match[1]
    return None


def _has_settings_script() -> bool:
    """Return whether Spark runs a spark-env.sh first, which may set another JAVA_HOME."""
    home = os.environ.get("SPARK_HOME", "")
    folder = os.environ.get("SPARK_CONF_DIR") or os.path.join(home, "conf")
    return bool(home or "SPARK_CONF_DIR" in os.environ) and os.path.isfile(
        os.path.join(folder, "spark-env.sh")
    )


def _refuse_java(version: str) -> None:
    java, javas = java_of_spark(), javas_of(version)
    fault = java.fault
    if java.version is not None and major_of(java.version) < javas.oldest:
        fault = f"{java.source} is Java {java.version}"
    if fault:
        raise PlatformError(f"{fault}; Spark {_short(version)} needs {javas.words}: set JAVA_HOME to one")


def java_of_spark() -> Java:
    """Return the Java that Spark's scripts use: that of JAVA_HOME, else the first on PATH."""
    home = os.environ.get("JAVA_HOME")
    if home:
        source, program = f"JAVA_HOME={home}", shutil.which("java", path=os.path.join(home, "bin"))
        missing = f"no Java at {source}"
    else:
        source, program = "the java on PATH", shutil.which("java")
        missing = "no java on PATH, and JAVA_HOME is not set"
    if program is None:
        return Java(source, None, missing)
    try:
        result = subprocess.run(
            [program, "-version"], capture_output=True, text=True, errors="replace", timeout=JAVA_TIMEOUT
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = getattr(error, "strerror", None) or "it does not end"
        return Java(source, None, f"the Java at {program} does not run ({reason})")
    match = re.search(r'^\s*\w+ version "(\d[^"]*)"', result.stderr + result.stdout, re.MULTILINE)
    if result.returncode:
        lines = [line.strip() for line in result.stderr.splitlines() if line.strip()]
        reason = lines[0] if lines else f"exit code {result.returncode}"
        return Java(source, None, f"the Java at {program} does not run ({reason})")
    return Java(source, match[1] if match else None, "")


def hint(error: Exception) -> str:
    """Return what to add to the error of a Spark that did not start: its Java is too new, or Java has printed more."""
    import pyspark

    java, javas = java_of_spark(), javas_of(pyspark.__version__)
    if java.version is not None and major_of(java.version) > javas.newest:
        return (
            f"; {java.source} is Java {java.version}, Spark {_short(pyspark.__version__)} runs on {javas.words}: "
            "set JAVA_HOME to one"
        )
    return "; what Java printed above says why" if "Java gateway process exited" in str(error) else ""


def javas_of(version: str) -> Javas:
    """Return the Java versions that a version of Spark supports."""
    number = _number(version)
    return next((javas for since, javas in _JAVAS if number >= since), _JAVAS[-1][1])


def major_of(version: str) -> int:
    """Return the major version: 17 for 17.0.15, 8 for 1.8.0_402, 25 for 25-ea."""
    parts = re.findall(r"\d+", version)
    return int(parts[1] if parts[0] == "1" and len(parts) > 1 else parts[0])


def _number(version: str) -> tuple[int, ...]:
    """Return (4, 3) for 4.3.0 and 4.3.1.dev0: versions with the same numbers are compatible."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def _short(version: str) -> str:
    return ".".join(map(str, _number(version)))
