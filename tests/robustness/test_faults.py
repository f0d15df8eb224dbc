"""Faults: whatever fails on the way, the model is the same to the byte, and OUTPUT never lies.

The short version runs with all tests; `make test-faults` runs it --thorough, with the counts of docs/reliability.md.
"""

import contextlib
import functools
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

import nn
from nn.io import checkpoint
from nn.spark.storage.checkpoints import Checkpoints
from nn.spark.storage.filesystem import LocalFolder
from tests.support import ROOT
from tests.support.cluster import standalone
from tests.support.data import blobs, write_csv
from tests.support.submitting import MAIN, begin, job, python_under, submit

pytestmark = [pytest.mark.spark, pytest.mark.faults]

DISTURBED = ROOT / "tests" / "robustness" / "disturbed_task.py"
EXECUTORS = ["--conf", "spark.executor.memory=512m", "--conf", "spark.driver.host=127.0.0.1"]
COMMON = [
    "--partitions",
    "4",
    "--epochs",
    "25",
    "--hidden",
    "16",
    "--activation",
    "relu",
    "--loss",
    "cross-entropy",
]
ATTEMPTS = 3  # to stop a run amid a write
AVERAGINGS = {
    "gradients": [*COMMON, "--batch-size", "700", "--optimizer", "adam"],
    "parameters": [*COMMON, "--average", "parameters", "--optimizer", "momentum", "--outer-momentum", "0.3"],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four files of a set that takes some time to learn from."""
    folder = tmp_path_factory.mktemp("data")
    paths = []
    for name, rows, seed in (("train", 3000, 1), ("test", 200, 2)):
        inputs, labels = blobs(rows, width=64, classes=4, seed=seed)
        paths.append(write_csv(folder / f"x_{name}.csv", inputs))
        paths.append(write_csv(folder / f"y_{name}.csv", labels))
    return paths


@pytest.fixture(scope="module")
def undisturbed(data, tmp_path_factory):
    """A function averaging -> (the model of a run that nothing disturbs, how long it took)."""

    @functools.cache
    def run(name):
        folder, began = tmp_path_factory.mktemp("undisturbed"), time.monotonic()
        done = submit(MAIN, *data, "out", *AVERAGINGS[name], cwd=folder)
        assert done.returncode == 0, done.stdout[-3000:]
        return (folder / "out" / "model.npz").read_bytes(), time.monotonic() - began

    return run


@pytest.fixture(scope="module")
def model_of(data, spark, tmp_path_factory):
    """A function (averaging, epochs) -> the model of a run that nothing disturbs, in the tests' Spark."""

    @functools.cache
    def run(name, epochs):
        out = tmp_path_factory.mktemp("model") / "out"
        job(spark, *data, out, *AVERAGINGS[name], "--epochs", epochs)
        return (out / "model.npz").read_bytes()

    return run


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A standalone cluster of two workers."""
    with standalone(tmp_path_factory.mktemp("cluster")) as running:
        yield running


def moments(count, purpose):
    """Random moments as parts of a run, the same each time."""
    return random.Random(purpose).sample(range(1000), count)


def finishes_alike(done, out, model):
    assert done.returncode == 0, done.stdout[-3000:]
    assert (out / "model.npz").read_bytes() == model


# ---- executors ----


@pytest.mark.parametrize("averaging", ["gradients", pytest.param("parameters", marks=pytest.mark.thorough)])
def test_killed_executors_leave_no_trace_in_the_model(data, undisturbed, cluster, tmp_path, averaging, count):
    model, seconds = undisturbed(averaging)
    killed = 0
    for number, moment in enumerate(moments(count(1, 10), averaging)):
        folder = tmp_path / str(number)
        folder.mkdir()
        process = begin(
            MAIN, *data, "out", *AVERAGINGS[averaging], cwd=folder, conf=EXECUTORS, master=cluster.master
        )
        moment = count(min(moment, 100), moment)  # one try must not come too late
        victim = kill_an_executor(process, cluster, folder, 0.6 * seconds * moment / 1000)
        code = process.wait(180)
        log = (folder / "console.txt").read_text()
        assert code == 0, f"executor {victim} killed at {moment} of 1000:\n{log[-3000:]}"
        assert (folder / "out" / "model.npz").read_bytes() == model, f"killed at {moment} of 1000"
        killed += victim is not None
    assert killed >= count(1, 8)


def kill_an_executor(process, cluster, folder, delay):
    """Kill -9 one executor so long after the first of them was seen; gives its process."""
    until = time.monotonic() + 60
    while not cluster.executors():
        assert process.poll() is None and time.monotonic() < until, (folder / "console.txt").read_text()[
            -3000:
        ]
        time.sleep(0.05)
    time.sleep(delay)
    running = cluster.executors()
    if not running:  # the run was quicker
        return None
    victim = running[int(1000 * delay) % len(running)]
    with contextlib.suppress(ProcessLookupError):
        os.kill(victim, signal.SIGKILL)
    return victim


def confs(settings):
    """Spark's settings as words."""
    return [word for key, value in settings.items() for word in ("--conf", f"{key}={value}")]


def logged(folder):
    """Words that let Spark write down what becomes of each task."""
    (folder / "events").mkdir()
    settings = {"dir": folder / "events", "enabled": "true", "rolling.enabled": "false", "compress": "false"}
    return confs({f"spark.eventLog.{key}": value for key, value in settings.items()})


def tasks_that_were(folder, what):
    """How many tasks were Failed or Speculative, by Spark's own account."""
    tasks = (each for each in events_in(folder) if each["Event"] == "SparkListenerTaskEnd")
    return sum(each["Task Info"][what] for each in tasks)


def events_in(folder):
    """What `logged` has let Spark write down."""
    (path,) = (folder / "events").iterdir()
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.parametrize("averaging", [pytest.param("gradients", marks=pytest.mark.thorough), "parameters"])
def test_failing_tasks_leave_no_trace_in_the_model(data, model_of, tmp_path, averaging, monkeypatch, count):
    monkeypatch.setenv("DISTURBANCE", "fail")
    epochs = count(6, 25)
    words = [*data, "out", *AVERAGINGS[averaging], "--epochs", epochs]
    done = submit(DISTURBED, *words, cwd=tmp_path, conf=logged(tmp_path), master="local[2,4]")
    finishes_alike(done, tmp_path / "out", model_of(averaging, epochs))
    assert tasks_that_were(tmp_path, "Failed") >= epochs


@pytest.mark.thorough
@pytest.mark.parametrize("averaging", AVERAGINGS)
def test_speculation_leaves_no_trace_in_the_model(
    data, undisturbed, cluster, tmp_path, averaging, monkeypatch
):
    monkeypatch.setenv("DISTURBANCE", "slow")
    settings = {
        "spark.speculation": "true",
        "spark.speculation.quantile": "0.1",
        "spark.speculation.multiplier": "1.1",
        "spark.speculation.interval": "20ms",
        "spark.speculation.minTaskRuntime": "50ms",
        # Else a second attempt waits three seconds, as long as the first dawdles, for the host where its rows lie.
        "spark.locality.wait": "0s",
    }
    words = [*data, "out", *AVERAGINGS[averaging]]
    conf = [*EXECUTORS, *confs(settings), *logged(tmp_path)]
    done = submit(DISTURBED, *words, cwd=tmp_path, conf=conf, master=cluster.master)
    finishes_alike(done, tmp_path / "out", undisturbed(averaging)[0])
    assert tasks_that_were(tmp_path, "Speculative") > 4


@pytest.mark.thorough
@pytest.mark.parametrize("averaging", AVERAGINGS)
@pytest.mark.parametrize("evicted", [False, True])
def test_a_cache_too_small_leaves_no_trace_in_the_model(
    data, undisturbed, tmp_path, averaging, evicted, monkeypatch
):
    # The heap's part for cached rows holds none of them; or it holds them until others' rows crowd them out.
    monkeypatch.setenv("DISTURBANCE", "evict" if evicted else "none")
    fraction = "0.003" if evicted else "0.001"
    settings = {"spark.memory.fraction": fraction, "spark.eventLog.logBlockUpdates.enabled": "true"}
    words, conf = [*data, "out", *AVERAGINGS[averaging]], [*confs(settings), *logged(tmp_path)]
    done = submit(DISTURBED, *words, cwd=tmp_path, conf=conf)
    finishes_alike(done, tmp_path / "out", undisturbed(averaging)[0])
    first, last = places_of_rows(tmp_path)
    assert first == ("memory" if evicted else "disk") and last == "disk"


def places_of_rows(folder):
    """Where the rows of TRAIN_IMAGES lay at first, and at last before the run ended."""
    updates = [
        each["Block Updated Info"]
        for each in events_in(folder)
        if each["Event"] == "SparkListenerBlockUpdated"
    ]
    rows = min(
        (each["Block ID"] for each in updates if each["Block ID"].startswith("rdd_")),
        key=lambda name: [int(part) for part in name.split("_")[1:]],
    )
    levels = [each["Storage Level"] for each in updates if each["Block ID"] == rows]
    found = [
        "memory" if each["Use Memory"] else "disk"
        for each in levels
        if each["Use Memory"] or each["Use Disk"]
    ]
    return found[0], found[-1]


@pytest.mark.thorough
@pytest.mark.parametrize("averaging", AVERAGINGS)
def test_the_model_does_not_depend_on_where_it_is_trained(data, undisturbed, cluster, tmp_path, averaging):
    masters = {
        "one": "local[1]",
        "three": "local[3]",
        "pseudo": "local-cluster[2,1,1024]",
        "real": cluster.master,
    }
    for name, master in masters.items():
        conf = EXECUTORS if name in ("pseudo", "real") else []
        done = submit(MAIN, *data, name, *AVERAGINGS[averaging], cwd=tmp_path, conf=conf, master=master)
        finishes_alike(done, tmp_path / name, undisturbed(averaging)[0])


@pytest.mark.thorough
def test_other_partitions_change_the_last_bits_only(data, tmp_path):
    found = []
    for partitions in ("1", "4", "7"):
        words = [
            "--epochs",
            "3",
            "--activation",
            "tanh",
            "--optimizer",
            "momentum",
            "--partitions",
            partitions,
        ]
        done = submit(
            MAIN, *data, partitions, *words, "--sample", "1", "--schedule", "constant", cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout[-3000:]
        params = nn.load(tmp_path / partitions / "model.npz").params
        found.append(np.concatenate([array.ravel() for layer in params for array in layer.values()]))
    for other in found[1:]:
        assert np.linalg.norm(other - found[0]) <= 1e-5 * np.linalg.norm(found[0])


# ---- the driver ----


@pytest.mark.thorough
@pytest.mark.parametrize("averaging", AVERAGINGS)
def test_killed_drivers_are_resumed_to_the_same_model(data, undisturbed, tmp_path, averaging, count):
    model, seconds = undisturbed(averaging)
    kills, amid = count(3, 15), 0
    for number, moment in enumerate(moments(kills, f"driver {averaging}")):
        out = tmp_path / str(number) / "out"
        out.parent.mkdir()
        words = [*data, "out", *AVERAGINGS[averaging], "--checkpoint-every", "1"]
        process = begin(MAIN, *words, cwd=out.parent)
        if number % 3 == 0:
            for _ in range(ATTEMPTS):  # a busy machine may not look while a checkpoint is written
                if stop_amid_a_write(process, out, random.Random(number).randrange(1, 20)):
                    amid += 1
                    break
                process.wait()
                shutil.rmtree(out)
                process = begin(MAIN, *words, cwd=out.parent)
        else:
            time.sleep(1.1 * seconds * moment / 1000)
        with contextlib.suppress(ProcessLookupError):  # the run was quicker
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        goes_on(words, out, model)
    assert amid == len(range(0, kills, 3))


def goes_on(words, out, model):
    """With --resume, to the same model."""
    nothing_lies(out)
    done = submit(MAIN, *words, "--resume", cwd=out.parent)
    finishes_alike(done, out, model)
    nothing_lies(out)


@pytest.mark.thorough
@pytest.mark.parametrize("averaging", AVERAGINGS)
def test_drivers_that_are_asked_to_end_say_so_whatever_they_do(data, undisturbed, tmp_path, averaging, count):
    model, _ = undisturbed(averaging)
    requests = 0
    for number, moment in enumerate(moments(count(2, 10), f"terminated {averaging}")):
        out = tmp_path / str(number) / "out"
        out.parent.mkdir()
        words = [*data, "out", *AVERAGINGS[averaging]]
        process = begin(MAIN, *words, cwd=out.parent)
        while epochs_in(out) <= 20 * moment // 1000 and process.poll() is None:  # of 25
            time.sleep(0.001)
        time.sleep(moment % 10 / 200)  # an epoch takes some hundredths of a second
        with contextlib.suppress(IndexError, ProcessLookupError):  # the run was quicker
            os.kill(python_under(process), signal.SIGTERM)
        code, log = process.wait(60), (out.parent / "console.txt").read_text()
        assert code in (0, 143) and "Traceback" not in log, log[-3000:]
        if code:
            requests += 1
            assert log.splitlines()[-1].startswith("main_task.py: terminated; the same command with --resume")
            goes_on(words, out, model)
    assert requests > count(2, 10) // 2


def stop_amid_a_write(process, out, after):
    """Stop the run while a checkpoint of a later epoch is being written; whether that was done."""
    until = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < until:
        if is_writing(out, after):
            os.killpg(process.pid, signal.SIGSTOP)
            wait_for_a_stop(python_under(process))
            if is_writing(out, after):
                return True
            os.killpg(process.pid, signal.SIGCONT)
    return False


def wait_for_a_stop(process):
    """Until the kernel has stopped all threads of a process; a signal is delivered to each in its time."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(OSError):  # a thread that has just ended
            log = [path.read_text() for path in Path(f"/proc/{process}/task").glob("*/stat")]
            if all(line.rpartition(")")[2].split()[0] == "T" for line in log):
                return


def is_writing(out, after):
    """Whether a checkpoint, or its manifest, lies there under the name that it has before it is whole."""
    try:
        names = os.listdir(out / "checkpoints")
    except FileNotFoundError:
        return False
    return any(name.endswith(".part") and int(name.split("-")[1]) >= after for name in names)


def nothing_lies(out):
    """Every file under its final name is whole."""
    if not out.exists():
        return
    files = [path for path in out.rglob("*") if path.is_file() and not path.name.startswith(".")]
    for path in files:
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.name == "model.npz":
            nn.load(path)
        elif path.suffix == ".npz":
            checkpoint.from_bytes(path.read_bytes())
        elif path.name == "history.csv":
            lines = path.read_text().splitlines()
            assert len({line.count(",") for line in lines}) == 1
    for manifest in (out / "checkpoints").glob("*.json"):
        promised = json.loads(manifest.read_text())
        assert manifest.with_suffix(".npz").stat().st_size == promised["bytes"]
    if (out / "_SUCCESS").exists():
        assert {"model.npz", "model.md", "summary.json", "examples.csv"} <= {path.name for path in files}


ON_A_SMALL_DISK = """
disk=$1 copy=$2
shift 2
mount -t tmpfs -o size=2m none "$disk" || exit 99
"$@"
code=$?
cp -r "$disk/." "$copy"
exit $code
"""


def test_a_full_disk_leaves_the_checkpoint_before_and_one_clear_line(data, tmp_path):
    disk, copy = tmp_path / "disk", tmp_path / "copy"
    disk.mkdir()
    copy.mkdir()
    words = [*data, disk / "out", *AVERAGINGS["gradients"], "--hidden", "600", "--checkpoint-every", "2"]
    # A name space of its own for mounts, which needs no rights on most systems.
    apart = ["unshare", "-rm", "sh", "-c", ON_A_SMALL_DISK, "sh", str(disk), str(copy)]
    done = submit(MAIN, *words, "--keep-checkpoints", "9", cwd=tmp_path, prefix=apart)
    if done.returncode == 99 or "unshare:" in done.stdout:
        pytest.skip(f"no small disk can be had here: {done.stdout[-200:]}")
    assert done.returncode == 4, done.stdout[-3000:]
    last = done.stdout.splitlines()[-1]
    assert "cannot write" in last and "No space left on device" in last, done.stdout[-3000:]
    epoch = int(re.search(r"the same command with --resume goes on after epoch (\d+)$", last)[1])
    nothing_lies(copy / "out")
    assert Checkpoints(LocalFolder(str(copy / "out")), 9).newest().epoch == epoch >= 2


# ---- long runs ----


@pytest.mark.thorough
@pytest.mark.parametrize("hidden", [8, 2200], ids=["in tasks", "by broadcast"])  # how parameters travel
def test_two_thousand_epochs_leave_memory_and_disks_as_they_were(data, tmp_path, hidden):
    epochs = 2000
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    words = [
        *data,
        "out",
        "--epochs",
        str(epochs),
        "--partitions",
        "2",
        "--hidden",
        str(hidden),
        "--schedule",
        "constant",
    ]
    process = begin(MAIN, *words, cwd=tmp_path, conf=["--conf", f"spark.local.dir={scratch}"])
    seen = []
    while process.poll() is None:
        time.sleep(0.5)
        done = epochs_in(tmp_path / "out")
        if done:
            seen.append((done, memory_under(process.pid), size_of(scratch)))
    assert process.returncode == 0, (tmp_path / "console.txt").read_text()[-3000:]
    early = [each for each in seen if 0.2 * epochs <= each[0] < 0.4 * epochs]
    late = [each for each in seen if each[0] >= 0.8 * epochs]
    assert early and late, seen
    for name in ("driver", "worker"):
        # Medians: while a task unpacks new parameters beside the old ones, a worker holds 5 MB more for a moment.
        grown = float(
            np.median([each[1][name] for each in late]) - np.median([each[1][name] for each in early])
        )
        assert grown < 4 << 20, f"{name} grew by {grown:,} bytes from {early[0]} to {late[-1]}"
    assert max(each[2] for each in late) <= max(each[2] for each in early) + (1 << 20)


def epochs_in(out):
    with contextlib.suppress(FileNotFoundError):
        return len((out / "history.csv").read_text().splitlines()) - 1
    return 0


def memory_under(root):
    """Resident bytes of the Python programs below a process: the driver's, and the largest worker's."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,rss=,args="], capture_output=True, text=True).stdout
    rows = [line.split(None, 3) for line in listed.splitlines()]
    below, found = {root}, {"driver": 0, "worker": 0}
    for _ in range(5):
        below |= {int(row[0]) for row in rows if int(row[1]) in below}
    for row in rows:
        if int(row[0]) in below and "java" not in row[3].split()[0]:
            name = "driver" if "main_task.py" in row[3] else "worker"
            found[name] = max(found[name], 1024 * int(row[2]))
    return found


def size_of(folder):
    total = 0
    for root_folder, _, names in os.walk(folder):  # which passes over folders that Spark removes meanwhile
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                total += os.stat(os.path.join(root_folder, name)).st_size
    return total
