"""One job for all clusters: its data, its options, and how it is submitted to each."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

import nn
from nn.io import package
from tests.clusters.daemons import HOST
from tests.clusters.hadoop import Hadoop
from tests.robustness import fit_task
from tests.support import ROOT
from tests.support.data import blobs, write_csv
from tests.support.submitting import MAIN, begin_command, command, environment, submit

PREDICT = ROOT / "predict_task.py"
NAMES = ("x_train.csv", "y_train.csv", "x_test.csv", "y_test.csv")
COMMON = ["--partitions", "4", "--hidden", "16", "--activation", "relu", "--loss", "cross-entropy"]
AVERAGINGS = {
    "gradients": [*COMMON, "--epochs", "12", "--batch-size", "700", "--optimizer", "adam"],
    "parameters": [*COMMON, "--epochs", "12", "--average", "parameters", "--optimizer", "momentum"],
}
NONE: Mapping[str, str] = {}


def write_data(folder: Path) -> list[Path]:
    """Four files of images of small whole numbers and their labels."""
    for name, rows, seed in (("train", 1500, 1), ("test", 200, 2)):
        inputs, labels = blobs(rows, width=64, classes=4, seed=seed)
        write_csv(folder / f"x_{name}.csv", inputs)
        write_csv(folder / f"y_{name}.csv", labels)
    return [folder / name for name in NAMES]


class Place:
    """Where a job runs: a master with Spark's settings, and the variables of spark-submit."""

    def __init__(
        self,
        master: str,
        settings: Mapping[str, str] = NONE,
        words: Sequence[str] = (),
        env: Mapping[str, str] = NONE,
    ):
        self.master, self.settings, self.words, self.env = master, dict(settings), list(words), dict(env)

    def with_settings(self, settings: Mapping[str, str]) -> "Place":
        """The same with more settings."""
        return Place(self.master, {**self.settings, **settings}, self.words, self.env)

    def run(self, cwd: Path, *words: object, script: Path = MAIN) -> subprocess.CompletedProcess:
        """Run a program to its end."""
        return submit(
            script, *words, cwd=cwd, conf=self._conf(cwd), master=self.master, env=self.env, timeout=600
        )

    def begin(self, cwd: Path, *words: object, script: Path = MAIN) -> subprocess.Popen:
        """Start a program, whose output goes to `cwd`/console.txt."""
        full = command(script, *words, conf=self._conf(cwd), master=self.master)
        return begin_command(["env", *(f"{key}={value}" for key, value in self.env.items()), *full], cwd)

    def _conf(self, cwd: Path) -> list[str]:
        # In a file of their own, as secrets must be: words of a command line can be seen by everybody.
        path = cwd / "spark-defaults.conf"
        path.touch(0o600)
        path.write_text("".join(f"{key} {value}\n" for key, value in self.settings.items()))
        return [*self.words, "--properties-file", str(path)]


LOCAL = Place("local[2]", {"spark.driver.host": HOST, "spark.driver.bindAddress": HOST})


def on_standalone(master: str) -> Place:
    """Executors of a standalone cluster."""
    return Place(master, {**LOCAL.settings, "spark.executor.memory": "512m"})


def on_yarn(hadoop: Hadoop, mode: str, folder: Path, python: str = sys.executable) -> Place:
    """Two executors on YARN, with the driver here (client) or in a container of its own (cluster)."""
    zipped = folder / "nn.zip"
    if not zipped.exists():
        package.write_zip(zipped)
    home = environment()["SPARK_HOME"]
    settings = {
        "spark.yarn.jars": f"local:{home}/jars/*",  # else 400 MB are copied to HDFS for each job
        "spark.yarn.appMasterEnv.PYSPARK_PYTHON": python,
        "spark.yarn.appMasterEnv.SPARK_LOCAL_IP": HOST,
        "spark.executorEnv.SPARK_LOCAL_IP": HOST,
        "spark.executor.instances": "2",
        "spark.executor.memory": "512m",
        "spark.yarn.am.memory": "512m",
        "spark.yarn.maxAppAttempts": "4",
        "spark.yarn.scheduler.heartbeat.interval-ms": "500",
        "spark.yarn.report.interval": "500ms",
    }
    # YARN gives containers few variables of its nodes, and its nodes' Java. OpenBLAS's choose its kernels, and so
    # the last bits.
    for name in filter(re.compile("JAVA_HOME|OPENBLAS_(CORETYPE|L2_SIZE)").fullmatch, os.environ):
        settings |= {
            f"spark.{kind}.{name}": os.environ[name] for kind in ("yarn.appMasterEnv", "executorEnv")
        }
    if mode == "client":
        settings |= LOCAL.settings
    env = {"HADOOP_CONF_DIR": str(hadoop.conf), "PYSPARK_PYTHON": python, "SPARK_LOCAL_IP": HOST}
    words = ["--deploy-mode", mode, "--driver-memory", "512m", "--py-files", str(zipped)]
    return Place("yarn", settings, words, env)


def fetched(store, folder: str, to: Path) -> Path:
    """A folder of a store, copied to a local one."""
    for name in store.names(folder):
        path = to / os.path.relpath(name, folder)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(store.get(name))
    return to


def predictions(store, out: str) -> list[int]:
    """The classes in the predictions that predict_task.py wrote, in the order of the rows."""
    parts = [name for name in store.names(f"{out}/predictions") if "/part-" in name]
    rows = [line for name in parts for line in store.get(name).decode().splitlines()[1:]]
    return [int(row.split(",")[1]) for row in rows]


def expected_predictions(model: Path, data: Path) -> list[int]:
    """The classes that a model gives without Spark."""
    return nn.load(model).predict(np.loadtxt(data, delimiter=",")).tolist()


def local_stage(rows: Path, folder: Path) -> bytes:
    """The model file of a stage of pyspark.ml that fit_task.py fits in local[2]."""
    model = folder / "stage.npz"
    done = LOCAL.run(folder, rows, model, "parameters", script=Path(fit_task.__file__))
    assert done.returncode == 0, done.stdout[-3000:]
    return model.read_bytes()
