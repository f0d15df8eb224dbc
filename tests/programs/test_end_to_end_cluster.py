"""On a real cluster: everything on a file system that only Spark reaches, traffic and disks encrypted."""

import json
import platform
import re
import subprocess
import sys

import numpy as np
import pytest

import nn
from nn.cli import check
from tests.support import ROOT
from tests.support.cluster import standalone, write_defaults
from tests.support.data import blobs, write_csv
from tests.support.submitting import MAIN, environment, submit

pytestmark = pytest.mark.spark

SECRET = "a-secret-that-must-not-be-written-down"
SECURE = {
    "spark.authenticate": "true",
    "spark.authenticate.secret": SECRET,
    "spark.network.crypto.enabled": "true",
    "spark.io.encryption.enabled": "true",
}
WORDS = [
    "--epochs",
    "6",
    "--batch-size",
    "100",
    "--activation",
    "relu",
    "--loss",
    "cross-entropy",
    "--partitions",
    "4",
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two workers that talk to none who does not know the secret."""
    daemons = {key: SECURE[key] for key in ("spark.authenticate", "spark.authenticate.secret")}
    with standalone(tmp_path_factory.mktemp("cluster"), settings=daemons) as running:
        yield running


@pytest.fixture(scope="module")
def defaults(tmp_path_factory):
    """What docs/security.md says of a secure cluster, as a file."""
    return write_defaults(tmp_path_factory.mktemp("conf") / "spark-defaults.conf", SECURE)


def settings(defaults, **more):
    pairs = {"spark.executor.memory": "512m", "spark.driver.host": "127.0.0.1", **more}
    words = [word for key, value in pairs.items() for word in ("--conf", f"{key}={value}")]
    return ["--properties-file", str(defaults), *words]


@pytest.mark.faults
def test_job_and_plots_touch_no_local_path_and_write_no_secret(cluster, defaults, tmp_path):
    disk, elsewhere = tmp_path / "disk", tmp_path / "elsewhere"
    (disk / "in").mkdir(parents=True)
    elsewhere.mkdir()
    for name, rows, seed in (("train", 600, 1), ("test", 100, 2)):
        inputs, labels = blobs(rows, width=9, seed=seed)
        (disk / "in" / f"x_{name}").mkdir()
        half = rows // 2
        write_csv(disk / "in" / f"x_{name}" / "part-00000", inputs[:half])
        write_csv(disk / "in" / f"x_{name}" / "part-00001", inputs[half:])
        write_csv(disk / "in" / f"y_{name}.csv", labels)
    paths = [f"viewfs://far/data/in/{name}" for name in ("x_train", "y_train.csv", "x_test", "y_test.csv")]
    mount = {"spark.hadoop.fs.viewfs.mounttable.far.link./data": f"file://{disk}"}
    words = [*paths, "viewfs://far/data/out", *WORDS, "--checkpoint-every", "2"]
    done = submit(MAIN, *words, cwd=elsewhere, conf=settings(defaults, **mount), master=cluster.master)
    assert done.returncode == 0, done.stdout[-3000:]
    assert list(elsewhere.iterdir()) == []

    out = disk / "out"
    inputs = np.loadtxt(disk / "in" / "x_test" / "part-00000", delimiter=",")
    labels = np.loadtxt(disk / "in" / "y_test.csv")[: len(inputs)]
    assert np.mean(nn.load(out / "model.npz").predict(inputs) == labels) > 0.8
    for path in out.rglob("*"):
        assert not path.is_file() or SECRET.encode() not in path.read_bytes(), path

    again = submit(
        MAIN,
        *words,
        "--epochs",
        "8",
        "--resume",
        cwd=elsewhere,
        conf=settings(defaults, **mount),
        master=cluster.master,
    )
    assert again.returncode == 0 and "resumed   after epoch 6 of 8" in again.stdout, again.stdout[-3000:]
    plotted = subprocess.run(
        [sys.executable, str(ROOT / "generate_plots.py"), str(out)],
        cwd=elsewhere,
        env=environment(),
        capture_output=True,
    )
    assert plotted.returncode == 0 and list(out.glob("*.png"))
    assert json.loads((out / "summary.json").read_text())["master"] == cluster.master


@pytest.mark.faults
@pytest.mark.thorough
def test_a_driver_without_the_secret_is_turned_away_in_one_line(cluster, tmp_path):
    paths = [tmp_path / name for name in "abcd"]
    for copy in paths:
        copy.write_text("1,2\n")
    done = submit(MAIN, *paths, "out", cwd=tmp_path, master=cluster.master, timeout=180)
    last = done.stdout.splitlines()[-1]
    assert (
        done.returncode == 4 and "Spark stopped by itself" in last and "spark.authenticate.secret" in last
    ), last


def is_header(line):
    return line.startswith("executor  ")


@pytest.mark.faults
@pytest.mark.thorough
def test_check_tells_what_each_executor_is(cluster, defaults, tmp_path):
    inputs, labels = blobs(1500, width=9)
    paths = [write_csv(tmp_path / "x.csv", inputs), write_csv(tmp_path / "y.csv", labels)] * 2
    done = submit(
        MAIN, *paths, "out", "--check", cwd=tmp_path, conf=settings(defaults), master=cluster.master
    )
    assert done.returncode == 0, done.stdout[-3000:]
    lines = done.stdout.splitlines()
    table = [re.split("  +", line) for line in lines[lines.index(next(filter(is_header, lines))) :][:3]]
    assert table[0] == [*check.ABOUT, "step", *check.NEEDS]
    for number, cells in enumerate(table[1:]):
        assert cells[0] == str(number) and cells[3] == np.__version__ and cells[-1] == "readable"
        assert cells[2] == platform.python_version() and "?" not in cells
        assert cells[6] == "1" and 30 < float(cells[8].removesuffix(" MB")) < 300
        assert 6 < float(cells[10].removesuffix(" kB")) < 40  # half of 3,000 rows of 9 bytes
    assert "first block 751 rows of 9 values, last block" in done.stdout
    assert lines[-1].startswith("checked   no problem was found")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "y.csv"]
