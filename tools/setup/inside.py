"""Run a command inside an environment: with its programs first in PATH, its Spark and a Java for it.

`python -m tools.setup.inside .venv spark-submit main_task.py ...`
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from tools.setup.console import SetupError, command, print_line
from tools.setup.environment import without_redirects
from tools.setup.java import Java, find, installed_spark

# Settings of another Spark on this machine; the folders and addresses Spark may use stay the user's.
_OTHER_SPARK = ("SPARK_", "PYSPARK_", "HADOOP_", "YARN_", "MASTER")
_USER_CHOICES = {"SPARK_LOCAL_DIRS", "SPARK_LOCAL_IP", "SPARK_LOCAL_HOSTNAME", "SPARK_PUBLIC_DNS"}


def variables_for(folder: Path, java: Java | None, env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that select the folder's Python, its Spark and a Java, and no other Spark."""
    inherited = without_redirects(env).items()
    variables = {
        name: value for name, value in inherited if name in _USER_CHOICES or not name.startswith(_OTHER_SPARK)
    }
    packages = sorted(folder.glob("lib/python*/site-packages/pyspark"))
    variables["VIRTUAL_ENV"] = str(folder)
    variables["PATH"] = f"{folder / 'bin'}{os.pathsep}{env.get('PATH', os.defpath)}"
    variables["PYSPARK_PYTHON"] = str(folder / "bin" / "python")
    if packages:
        # Spark's own search for its home splits a path at spaces; naming it skips the search.
        variables["SPARK_HOME"] = str(packages[0])
    if java:
        variables["JAVA_HOME"] = str(java.home)
    # The job is local: no host name to resolve, no other address that a firewall might close.
    variables.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    return variables


def environment_variables(folder: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for a folder and an installed Java, without one where none fits."""
    java, _ = find(installed_spark(folder), env)
    return variables_for(folder, java, env)


def main(arguments: list[str]) -> None:
    """Print the command and replace this process by it."""
    folder, words = Path(arguments[0]).absolute(), arguments[1:]
    env = environment_variables(folder, os.environ)
    print_line(f"$ {shlex.join(words)}")
    try:
        os.execvpe(words[0], words, env)
    except OSError as error:
        raise SetupError(f"{words[0]} cannot be run: {error.strerror}") from None


if __name__ == "__main__":
    command(main)
