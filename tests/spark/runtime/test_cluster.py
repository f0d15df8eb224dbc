"""Executors as the driver knows them: waited for, and with the room that they have."""

import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pyspark
import pytest

from nn.core.errors import PlatformError
from nn.spark.runtime import cluster as executors
from tests.support import ROOT

pytestmark = pytest.mark.spark

ON_A_CLUSTER = """
from nn.spark.runtime import cluster as executors
from nn.spark.runtime.session import spark_context

with spark_context('test') as context:
    found = executors.wait_for_executors(context, print)
    print('found', [tuple(each) for each in found], context.defaultParallelism)
"""


def found_on_a_cluster(options=""):
    """What executors of 512 MB are found as, under a driver of 2 GB: ([(name, slots, storage)], slots)."""
    options += " --driver-memory 2g --conf spark.executor.memory=512m --conf spark.ui.enabled=false"
    words = f"--master local-cluster[2,1,512] {options} --conf spark.driver.host=localhost pyspark-shell"
    environment = {
        **os.environ,
        "PYSPARK_SUBMIT_ARGS": words,
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
    }
    command = [sys.executable, "-c", ON_A_CLUSTER]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    lines = [line for line in done.stdout.splitlines() if line.startswith("found ")]
    assert lines, done.stderr[-2000:]
    listed, slots = lines[0].removeprefix("found ").rsplit(" ", 1)
    cells = [each.strip("()").split(", ") for each in listed.strip("[]").split("), (")]
    return [(name.strip("'"), int(tasks), int(storage)) for name, tasks, storage in cells], int(slots)


@pytest.fixture(scope="module")
def on_a_cluster():
    """Two executors, found; on a busy machine the second may come long after the first."""
    return found_on_a_cluster("--conf spark.executor.instances=2")


def test_executors_that_spark_asks_for_only_when_there_are_tasks_are_not_waited_for_in_vain():
    # Without a task there would be none for ever.
    dynamic = {"enabled": "true", "initialExecutors": "0", "minExecutors": "0"}
    seen_executors, _ = found_on_a_cluster(
        " ".join(f"--conf spark.dynamicAllocation.{key}={value}" for key, value in dynamic.items())
    )
    assert len(seen_executors) >= 1


def test_a_local_master_is_one_executor(spark):
    (only,) = executors.wait_for_executors(spark, print)
    assert (only.name, only.slots) == ("driver", 2)
    assert 50 << 20 < only.storage < 64 << 30


def test_a_job_starts_when_all_executors_of_a_cluster_have_come(on_a_cluster):
    seen_executors, slots = on_a_cluster
    assert sorted(name for name, _, _ in seen_executors) == ["0", "1"]
    assert [tasks for _, tasks, _ in seen_executors] == [1, 1] and slots == 2


def test_a_cluster_s_driver_holds_no_rows(on_a_cluster):
    # An executor of 512 MB has some 130 MB for rows, the driver of 2 GB a thousand.
    assert all(80 << 20 < storage < 300 << 20 for _, _, storage in on_a_cluster[0])


class Cluster:
    """A context whose executors come at the seconds that are told, by a clock of its own."""

    master = "spark://far:7077"
    stops = math.inf

    def __init__(self, monkeypatch, comes, **conf):
        self.now, self._comes, self._conf = 0.0, comes, conf
        monkeypatch.setattr(executors, "registered", self._registered)
        # The module's own clock, not the whole process's: other tests' threads may be asleep meanwhile.
        clock = SimpleNamespace(monotonic=lambda: self.now, sleep=self._sleep)
        monkeypatch.setattr(executors, "time", clock)
        self._jsc = self

    def sc(self):
        return self

    def isLocal(self):  # noqa: N802 (Spark's name)
        return False

    def isStopped(self):  # noqa: N802 (Spark's name)
        return self.now >= self.stops

    def getConf(self):  # noqa: N802 (Spark's name)
        return {key.replace("_", "."): value for key, value in self._conf.items()}

    def _sleep(self, seconds):
        self.now += seconds

    def _registered(self, context):
        return [executors.Executor(str(at), 1, 1) for at in self._comes if at <= self.now]


@pytest.mark.parametrize(
    ("comes", "conf", "count", "at"),
    [
        ([2.0, 2.5, 3.9], {}, 3, 3.9 + executors.SETTLED_AFTER),  # none is said: until no more come
        ([2.0, 9.0], {}, 1, 2.0 + executors.SETTLED_AFTER),
        ([2.0, 9.0], {"spark_executor_instances": "2"}, 2, 9.0),  # as many as were asked for
        ([2.0], {"spark_executor_instances": "2"}, 1, 2.0 + executors.MAX_WAIT),  # but not for ever
        (
            [2.0, 9.0],
            {"spark_executor_instances": "2", "spark_dynamicAllocation_enabled": "true"},
            *(1, 2.0 + executors.SETTLED_AFTER),
        ),
    ],
)
def test_how_long_executors_are_waited_for(monkeypatch, comes, conf, count, at):
    cluster = Cluster(monkeypatch, comes, **conf)
    monkeypatch.setattr(executors, "_wake", lambda context: None)
    assert len(executors.wait_for_executors(cluster, print)) == count
    assert cluster.now == pytest.approx(at, abs=2 * executors.POLL)


def test_a_cluster_that_gives_nothing_is_told_once(monkeypatch, capsys):
    cluster = Cluster(monkeypatch, [25.0])
    assert len(executors.wait_for_executors(cluster, print)) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("waiting   spark://far:7077 has given no executor for 10 s: ")


def test_a_spark_that_stops_is_not_waited_for(monkeypatch):
    cluster = Cluster(monkeypatch, [])
    cluster.stops = 4.0
    with pytest.raises(PlatformError, match="Spark stopped by itself"):
        executors.wait_for_executors(cluster, print)


@pytest.mark.parametrize(
    ("master", "conf", "expected"),
    [
        ("spark://far:7077", {}, None),
        ("yarn", {}, 384 << 20),
        ("yarn", {"spark.executor.memory": "8g"}, int(0.1 * (8 << 30))),
        ("yarn", {"spark.executor.memory": "8g", "spark.executor.memoryOverhead": "1000"}, 1000 << 20),
        ("yarn", {"spark.executor.memory": "8g", "spark.executor.memoryOverheadFactor": "0.5"}, 4 << 30),
        ("k8s://https://far", {"spark.executor.memory": "2g"}, int(0.4 * (2 << 30))),
        ("yarn", {"spark.executor.pyspark.memory": "2g", "spark.executor.memoryOverhead": "9g"}, 2 << 30),
    ],
)
def test_what_an_executor_s_workers_may_take(spark, master, conf, expected):
    java = spark._jvm.org.apache.spark.SparkConf(False)
    for key, value in conf.items():
        java.set(key, value)
    context = SimpleNamespace(
        master=master,
        getConf=lambda: conf,
        _jsc=SimpleNamespace(sc=lambda: SimpleNamespace(conf=lambda: java)),
    )
    assert executors.worker_memory_limit(context) == expected
