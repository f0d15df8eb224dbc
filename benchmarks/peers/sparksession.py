"""A plain Spark for a peer: local, all cores, nothing tuned but what the peer says."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import contract


def submit_words(args: argparse.Namespace, *more: str) -> None:
    """Say how Spark is to be started, where pyspark looks for it; before the first context."""
    words = [
        f"--master local[{args.cores}]",
        f"--driver-memory {args.driver_memory}",
        *more,
        "pyspark-shell",
    ]
    os.environ["PYSPARK_SUBMIT_ARGS"] = " ".join(words)
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable


@contextmanager
def session(args: argparse.Namespace) -> Iterator[Any]:
    """A SparkSession that says little, stopped on leaving."""
    from pyspark.sql import SparkSession

    quiet = ("spark.ui.enabled=false", "spark.ui.showConsoleProgress=false", "spark.log.level=ERROR")
    submit_words(args, *(f"--conf {setting}" for setting in quiet))
    session_ = SparkSession.builder.appName("a peer").getOrCreate()
    session_.sparkContext.setLogLevel("ERROR")
    try:
        yield session_
    finally:
        session_.stop()


def versions(context: Any, *packages: str) -> dict[str, str]:
    """Those of Python, pyspark, Java and the packages."""
    java = str(context._jvm.java.lang.System.getProperty("java.version"))
    return contract.versions("pyspark", *packages) | {"java": java}
