"""A server of Spark Connect in a process of its own, and a session on it."""

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

from tests.support.submitting import MASTER, environment

SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"
START = 120  # seconds
LARGEST = 4 << 20  # bytes of a request
CONF = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "localhost",
    "spark.connect.grpc.binding.address": "localhost",
    "spark.python.unix.domain.socket.enabled": "true",
    "spark.sql.shuffle.partitions": "2",
}


def free_port():
    """The number of a port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@contextmanager
def connect_session(folder):
    """A session on a server that is started in a folder, as a user's program has it."""
    from pyspark.sql.connect.client import DefaultChannelBuilder
    from pyspark.sql.connect.session import SparkSession

    port = free_port()
    words = [
        f"--conf={key}={value}" for key, value in {**CONF, "spark.connect.grpc.binding.port": port}.items()
    ]
    submit = os.path.join(os.path.dirname(sys.executable), "spark-submit")
    with open(os.path.join(folder, "server.log"), "wb") as log:
        server = subprocess.Popen(
            [
                submit,
                "--master",
                MASTER,
                "--driver-memory",
                "1g",
                *words,
                "--class",
                SERVER,
                "spark-internal",
            ],
            cwd=folder,
            env=environment(),
            stdout=log,
            stderr=log,
        )
    # With the first, functions of pyspark.sql make columns of Connect; SparkSession.builder.remote sets both.
    variables = {"SPARK_CONNECT_MODE_ENABLED": "1", "SPARK_REMOTE": f"sc://localhost:{port}"}
    os.environ |= variables
    try:
        _await(port, server)
        limits = [("grpc.max_send_message_length", LARGEST)]
        channel = DefaultChannelBuilder(f"sc://localhost:{port}", limits)
        session = SparkSession.builder.channelBuilder(channel).create()
        yield session
        session.stop()
    finally:
        for name in variables:
            os.environ.pop(name, None)
        server.terminate()
        server.wait()


def _await(port, server):
    end = time.monotonic() + START
    while server.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server of Spark Connect did not start: see server.log")
