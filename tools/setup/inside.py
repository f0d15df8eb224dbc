"""Run a command in an environment: with its programs first in PATH, its Spark, and a Java that Spark runs on.

`python -m tools.setup.inside .venv spark-submit main_task.py ...`
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from tools.setup.console import SetupError, command, print_line
from tools.setup.environment import clean
from tools.setup.java import Java, find, spark_in

# Settings of another Spark on this machine; the folders and addresses Spark may use stay the user's.
_OTHERS = ("SPARK_", "PYSPARK_", "HADOOP_", "YARN_", "MASTER")
_KEPT = {"SPARK_LOCAL_DIRS", "SPARK_LOCAL_IP", "SPARK_LOCAL_HOSTNAME", "SPARK_PUBLIC_DNS"}


def variables(folder: Path, java: Java | None, env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables for the folder's Spark alone."""
    ours = clean(env).items()
    kept = {name: value for name, value in ours if name in _KEPT or not name.startswith(_OTHERS)}
    packages = sorted(folder.glob("lib/python*/site-packages/pyspark"))
    kept["VIRTUAL_ENV"] = str(folder)
    kept["PATH"] = f"{folder / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    kept["PYSPARK_PYTHON"] = str(folder / "bin" / "python")
    if packages:
        # Spark's own search for its home splits a path at spaces; naming it skips the search.
        kept["SPARK_HOME"] = str(packages[0])
    if java:
        kept["JAVA_HOME"] = str(java.home)
    # The job is local: no host name to resolve, no other address that a firewall might close.
    kept.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    return kept


def settings(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a folder, with a suitable Java if there is one."""
    java, _ = find(spark_in(folder), env)
    return variables(folder, java, env)


def main(arguments: list[str]) -> None:
    """Print the command and replace this process by it."""
    folder, words = Path(arguments[0]).absolute(), arguments[1:]
    env = settings(folder, os.environ)
    print_line(f"$ {shlex.join(words)}")
    try:
        os.execvpe(words[0], words, env)
    except OSError as error:
        raise SetupError(f"{words[0]} cannot be run: {error.strerror}") from None


if __name__ == "__main__":
    command(main)
