"""On YARN: the same model as in local[2], with the driver here or in a container, whatever is killed meanwhile."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.clusters import jobs
from tests.clusters.hadoop import EXECUTOR, EXPIRY, MASTER
from tests.clusters.jobs import PREDICT, expected_predictions, predictions
from tests.robustness import fit_task

pytestmark = [pytest.mark.spark, pytest.mark.clusters("yarn")]


@pytest.mark.parametrize(
    ("mode", "averaging", "words"),
    [
        ("client", "gradients", []),
        ("cluster", "parameters", []),
        ("cluster", "parameters", ["--shuffle-once"]),
    ],
)
def test_a_run_on_yarn_gives_the_model_of_a_local_run(
    hadoop, inputs, local_model, tmp_path, mode, averaging, words
):
    out = "-".join(["out/run", mode, averaging, *words])
    place = jobs.on_yarn(hadoop, mode, tmp_path)
    done = place.run(tmp_path, *inputs(hadoop), f"{hadoop.url}/{out}", *jobs.AVERAGINGS[averaging], *words)
    assert done.returncode == 0, done.stdout[-3000:]
    assert hadoop.get(f"{out}/model.npz") == local_model(averaging, *words)
    assert f"{out}/_RUNNING" not in hadoop.names(out)
    printed = done.stdout if mode == "client" else hadoop.logs(hadoop.applications()[-1]["id"])
    assert "Warning" not in printed, printed


def test_a_recipe_that_goes_along_is_read_in_the_container_of_the_driver(
    hadoop, inputs, local_model, tmp_path
):
    words = jobs.AVERAGINGS["parameters"]
    pairs = zip(words[::2], words[1::2], strict=True)
    options = {word[2:].replace("-", "_"): int(value) if value.isdigit() else value for word, value in pairs}
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(options))
    place = jobs.on_yarn(hadoop, "cluster", tmp_path)
    place.words += ["--files", str(recipe)]
    done = place.run(tmp_path, *inputs(hadoop), f"{hadoop.url}/out/recipe", "--config", "recipe.json")
    assert done.returncode == 0, done.stdout[-3000:]
    assert hadoop.get("out/recipe/model.npz") == local_model("parameters")


def test_a_packed_environment_predicts_on_yarn(hadoop, inputs, data, local_model, tmp_path):
    pack = pytest.importorskip("venv_pack").pack
    packed, environment = tmp_path / "environment.tar.gz", tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    copy_numpy(environment)
    pack(str(environment), output=str(packed))
    model = tmp_path / "model.npz"
    model.write_bytes(local_model("gradients"))
    there = hadoop.put("in/model.npz", model.read_bytes())
    place = jobs.on_yarn(hadoop, "cluster", tmp_path, "./environment/bin/python")
    place.words += ["--archives", f"{packed}#environment"]
    words = [there, inputs(hadoop)[2], f"{hadoop.url}/out/predicted-on-yarn", "--partitions", "4"]
    done = place.run(tmp_path, *words, script=PREDICT)
    assert done.returncode == 0, hadoop.logs(hadoop.applications()[-1]["id"])[-3000:]
    assert predictions(hadoop, "out/predicted-on-yarn") == expected_predictions(model, data[2])


@pytest.mark.parametrize("mode", ["client", "cluster"])
def test_a_stage_of_pyspark_ml_gives_the_model_of_a_local_run(hadoop, tmp_path, mode):
    rows, script = fit_task.write_rows(tmp_path / "rows.json"), Path(fit_task.__file__)
    model = jobs.local_stage(rows, tmp_path)
    there = hadoop.put("in/rows.json", rows.read_bytes())
    words = [there, f"{hadoop.url}/out/stage-{mode}.npz", "parameters"]
    done = jobs.on_yarn(hadoop, mode, tmp_path).run(tmp_path, *words, script=script)
    assert done.returncode == 0, done.stdout[-3000:]
    assert hadoop.get(f"out/stage-{mode}.npz") == model


def copy_numpy(environment):
    """Put the NumPy of this Python into another environment of the same Python."""
    there = next((environment / "lib").glob("python*")) / "site-packages"
    for path in Path(np.__file__).parents[1].glob("numpy*"):
        shutil.copytree(path, there / path.name)


def test_executors_that_come_when_they_are_needed_leave_no_trace_in_the_model(
    hadoop, inputs, local_model, tmp_path
):
    settings = {
        "spark.dynamicAllocation.enabled": "true",
        "spark.dynamicAllocation.shuffleTracking.enabled": "true",
        "spark.dynamicAllocation.maxExecutors": "2",
        "spark.executor.instances": "0",
    }
    place = jobs.on_yarn(hadoop, "client", tmp_path).with_settings(settings)
    words = [*inputs(hadoop), f"{hadoop.url}/out/dynamic", *jobs.AVERAGINGS["parameters"]]
    done = place.run(tmp_path, *words)
    assert done.returncode == 0, done.stdout[-3000:]
    assert hadoop.get("out/dynamic/model.npz") == local_model("parameters")


def test_check_on_yarn_finds_no_problem_and_writes_nothing(hadoop, inputs, tmp_path):
    place = jobs.on_yarn(hadoop, "client", tmp_path)
    words = [*inputs(hadoop), f"{hadoop.url}/out/checked", *jobs.AVERAGINGS["gradients"], "--check"]
    done = place.run(tmp_path, *words)
    assert done.returncode == 0 and "no problem was found" in done.stdout, done.stdout[-3000:]
    assert hadoop.names("out/checked") == []


def test_a_failing_driver_in_a_container_says_why_in_its_log_and_its_code_to_yarn(hadoop, inputs, tmp_path):
    place = jobs.on_yarn(hadoop, "cluster", tmp_path).with_settings({"spark.yarn.maxAppAttempts": "1"})
    train, *others = inputs(hadoop)
    done = place.run(tmp_path, f"{train}.missing", *others, f"{hadoop.url}/out/failing", "--partitions", "4")
    application = hadoop.applications()[-1]
    assert done.returncode == 1
    assert "exited with status 3" in application["diagnostics"], application
    message = "TRAIN_IMAGES: no such file or folder"
    logged = hadoop.logs(application["id"]).splitlines()
    (number,) = [i for i, line in enumerate(logged) if line.startswith(f"main_task.py: error: {message}")]
    for line in (logged[number + 1], hadoop.get("out/failing/_ERROR.json")):
        failure = json.loads(line)
        assert (failure["code"], failure["kind"]) == (3, "data") and failure["message"].startswith(message)


# ---- kills ----

LONG = {"--epochs": 30, "--checkpoint-every": 1}
KILLED = {
    "executor": (1, 10),
    "node": (1, 5),
    "master": (1, 5),
    "node of the master": (1, 5),
}  # how often: here, and --thorough


@pytest.mark.parametrize("victim", KILLED)
def test_kills_in_cluster_mode_leave_no_trace_in_the_model(
    hadoop, inputs, local_model, tmp_path, victim, count
):
    more = [str(word) for pair in LONG.items() for word in pair]
    model = local_model("gradients", *more)
    for number, moment in enumerate(moments(count(*KILLED[victim]), victim)):
        folder, out = tmp_path / str(number), f"out/{victim.replace(' ', '-')}-{number}"
        folder.mkdir()
        place = jobs.on_yarn(hadoop, "cluster", folder)
        known = len(hadoop.applications())
        words = [*inputs(hadoop), f"{hadoop.url}/{out}", *jobs.AVERAGINGS["gradients"], *more, "--resume"]
        process = place.begin(folder, *words)
        wait_for_epoch(LONG["--epochs"] * moment, hadoop, out, process)
        application = hadoop.applications()[known]["id"]
        kill(hadoop, victim, application)
        code = process.wait(600)
        assert code == 0, f"{victim} killed at {moment:.2f}\n{hadoop.logs(application)[-6000:]}"
        assert hadoop.get(f"{out}/model.npz") == model, f"{victim} killed at {moment:.2f}"
        if "master" in victim:
            printed = hadoop.logs(application)
            assert "resumed   after epoch" in printed and "_02_000001" in printed


def kill(hadoop, victim, application):
    """Kill -9 one process of an application, or one node with all that runs on it: that of the driver, or the other."""
    masters = hadoop.containers(MASTER, application)
    if "node" in victim:
        (of_master,) = masters.values()
        lose(hadoop, of_master if "master" in victim else min(set(hadoop.nodes) - {of_master}))
    else:
        found = masters if victim == "master" else hadoop.containers(EXECUTOR, application)
        os.kill(min(found), signal.SIGKILL)


def lose(hadoop, node):
    """Let a node stop answering, until it is known to be lost; start it anew without what ran on it."""
    frozen = [process for process, its_node in hadoop.containers().items() if its_node == node]
    for process in frozen:
        os.kill(process, signal.SIGSTOP)
    hadoop.nodes[node].kill()
    time.sleep(EXPIRY / 1000 + 2)
    for process in frozen:
        os.kill(process, signal.SIGKILL)
    hadoop.restart(node)


def moments(number, purpose):
    """Random moments as parts of a run, the same each time; one alone is early."""
    random_ones = random.Random(purpose)
    return [random_ones.uniform(0.1, 0.4 if number == 1 else 0.8) for _ in range(number)]


def newest_epoch(store, out):
    """The epoch of the newest checkpoint."""
    found = (re.search(r"/epoch-(\d+)-\w+\.json$", name) for name in store.names(f"{out}/checkpoints"))
    return max((int(match[1]) for match in found if match), default=0)


def wait_for_epoch(epoch, store, out, process):
    """Until a checkpoint of a later one is there, while the process runs."""
    until = time.monotonic() + 300
    while newest_epoch(store, out) <= epoch:
        assert process.poll() is None and time.monotonic() < until, f"no epoch {epoch:.0f} in {out}"
        time.sleep(0.1)
