"""On HDFS, gs:// and s3a://: the same model as from local files, kills amid a write, one run at a time, no secrets."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nn.io import checkpoint
from nn.models import model_file
from tests.clusters import jobs
from tests.clusters.faulty_proxy import faulty
from tests.clusters.stores import SECRET
from tests.robustness import fit_task
from tests.support import ROOT
from tests.support.submitting import environment

pytestmark = pytest.mark.spark
KINDS = [pytest.param(kind, marks=pytest.mark.clusters(kind)) for kind in ("hdfs", "gs", "s3a")]
FILE_LAYER = ROOT / "tests" / "clusters" / "file_layer_task.py"


@pytest.fixture(scope="module")
def store_of(request):
    """A function kind -> the running store."""
    return lambda kind: request.getfixturevalue("hadoop" if kind == "hdfs" else kind)


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_layer_keeps_its_promises(store_of, tmp_path, kind):
    store = store_of(kind)
    place = jobs.LOCAL.with_settings(store.settings)
    done = place.run(tmp_path, f"{store.url}/out/layer", script=FILE_LAYER)
    assert done.returncode == 0, done.stdout[-3000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "names after the probe": [],
        "after a write that was cut short": "old",
        "after a whole one": "new",
        "created anew": [True, False],
        "its content": "one",
        "both that began at once": 1,
        "a second owner": f"OUTPUT: another run writes to {store.url}/out/layer",
        "names at the end": ["config.json", "file", "raced"],
    }


@pytest.mark.parametrize(
    ("averaging", "words"),
    [
        ("gradients", []),
        pytest.param("parameters", [], marks=pytest.mark.thorough),
        ("parameters", ["--shuffle-once"]),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_local_run_gives_the_same_model_and_writes_no_secret(
    store_of, inputs, local_model, tmp_path, kind, averaging, words
):
    store, out = store_of(kind), "-".join(["out/local", averaging, *words])
    place = jobs.LOCAL.with_settings(store.settings)
    done = place.run(tmp_path, *inputs(store), f"{store.url}/{out}", *jobs.AVERAGINGS[averaging], *words)
    assert done.returncode == 0, done.stdout[-3000:]
    assert store.get(f"{out}/model.npz") == local_model(averaging, *words)
    assert f"{out}/_RUNNING" not in store.names(out)
    fetched = jobs.fetched(store, out, tmp_path / "fetched")
    plotted = subprocess.run(
        [sys.executable, str(ROOT / "generate_plots.py"), str(fetched)],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
    )
    assert plotted.returncode == 0 and list(fetched.glob("*.png")), plotted.stderr
    assert SECRET not in done.stdout
    assert not [
        path for path in fetched.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_check_finds_no_problem_and_writes_nothing(store_of, inputs, tmp_path, kind):
    store = store_of(kind)
    place = jobs.LOCAL.with_settings(store.settings)
    words = [*inputs(store), f"{store.url}/out/checked", *jobs.AVERAGINGS["gradients"], "--check"]
    done = place.run(tmp_path, *words)
    assert done.returncode == 0 and "no problem was found" in done.stdout, done.stdout[-3000:]
    assert SECRET not in done.stdout
    assert store.names("out/checked") == []


# Amid which writes a run is killed, one after the other.
KILLED = ("epoch-000003-.*npz", "model.npz")
THOROUGH = (
    *("history.csv", KILLED[0], "epoch-000004-.*json", "epoch-000005-.*npz", "epoch-000006-.*json"),
    *("confusion_matrix.csv", "examples.csv", KILLED[1], "model.md", "summary.json"),
)
KILLED_TASK = ROOT / "tests" / "clusters" / "killed_task.py"


@pytest.mark.parametrize("kind", KINDS)
def test_a_driver_that_is_killed_amid_a_write_is_resumed_to_the_same_model(
    store_of, inputs, local_model, tmp_path, kind, count
):
    store, out = store_of(kind), "out/killed"
    place = jobs.LOCAL.with_settings(store.settings)
    words = [*inputs(store), f"{store.url}/{out}", *jobs.AVERAGINGS["gradients"], "--checkpoint-every", "1"]
    for moment in count(KILLED, THOROUGH):
        killed = jobs.Place(place.master, place.settings, env={"KILL_AT": moment})
        process = killed.begin(tmp_path, *words, "--resume", script=KILLED_TASK)
        assert process.wait(300) == -signal.SIGKILL, (tmp_path / "console.txt").read_text()[-3000:]
        nothing_is_half_written(store, out)
        assert f"{out}/_SUCCESS" not in store.names(out)
    done = place.run(tmp_path, *words, "--resume")
    assert done.returncode == 0 and "resumed   after epoch" in done.stdout, done.stdout[-3000:]
    assert store.get(f"{out}/model.npz") == local_model("gradients")
    left = [name for name in store.names(out) if name.endswith(".part") or name.endswith("_RUNNING")]
    assert not left


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_run_on_a_network_that_fails_ends_right_or_with_one_line(
    store_of, inputs, local_model, tmp_path, kind, count
):
    store = store_of(kind)
    for seed in range(count(1, 5)):
        folder, out = tmp_path / str(seed), f"out/faulty-{seed}"
        folder.mkdir()
        words = [
            *inputs(store),
            f"{store.url}/{out}",
            *jobs.AVERAGINGS["gradients"],
            "--checkpoint-every",
            "1",
        ]
        with faulty(store.port, seed) as proxy:
            through = {key: value.replace(store.root, proxy.root) for key, value in store.settings.items()}
            done = jobs.LOCAL.with_settings(through).run(folder, *words)
        assert proxy.faults.total() > 0
        nothing_is_half_written(store, out)
        if done.returncode:
            assert done.returncode == 4, done.stdout[-3000:]
            assert "Traceback" not in OF_SPARK.sub("", done.stdout), done.stdout[-3000:]
            assert done.stdout.splitlines()[-1].startswith("main_task.py: error: "), done.stdout[-3000:]
            done = jobs.LOCAL.with_settings(store.settings).run(folder, *words, "--resume")
        assert done.returncode == 0, done.stdout[-3000:]
        assert SECRET not in done.stdout
        assert store.get(f"{out}/model.npz") == local_model("gradients"), dict(proxy.faults)


# Spark's own: where a job fails it closes the connection to a Python worker, which may still write to it.
OF_SPARK = re.compile(
    r'Traceback \(most recent call last\):\n(?:  File "[^"\n]*/pyspark/daemon\.py".*\n(?:    .*\n)*)+'
    r"BrokenPipeError.*\n"
)


def nothing_is_half_written(store, out):
    """Every file under its final name is whole."""
    for name in store.names(out):
        content = store.get(name)
        if os.path.basename(name).startswith("."):
            continue
        if name.endswith(".json"):
            json.loads(content)
        elif "/checkpoints/" in name:
            checkpoint.from_bytes(content)
        elif name.endswith(".npz"):
            model_file.from_bytes(content)


@pytest.mark.parametrize("kind", KINDS)
def test_predictions_of_a_store_are_those_of_local_files(store_of, inputs, data, local_model, tmp_path, kind):
    store = store_of(kind)
    model = tmp_path / "model.npz"
    model.write_bytes(local_model("gradients"))
    place = jobs.LOCAL.with_settings(store.settings)
    there = store.put("in/model.npz", model.read_bytes())
    done = place.run(
        tmp_path,
        there,
        inputs(store)[2],
        f"{store.url}/out/predicted",
        "--partitions",
        "4",
        script=jobs.PREDICT,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert jobs.predictions(store, "out/predicted") == jobs.expected_predictions(model, data[2])


@pytest.mark.parametrize("kind", KINDS)
def test_a_stage_of_pyspark_ml_is_saved_and_loaded_there(store_of, tmp_path, kind):
    store, rows = store_of(kind), fit_task.write_rows(tmp_path / "rows.json")
    there = store.put("in/rows.json", rows.read_bytes())
    place = jobs.LOCAL.with_settings(store.settings)
    words = [there, f"{store.url}/out/stage.npz", "parameters"]
    done = place.run(tmp_path, *words, script=Path(fit_task.__file__))
    assert done.returncode == 0, done.stdout[-3000:]
    assert store.get("out/stage.npz") == jobs.local_stage(rows, tmp_path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_serves_a_standalone_cluster(store_of, standalone, inputs, local_model, tmp_path, kind):
    store, out = store_of(kind), "out/standalone"
    place = standalone.with_settings(store.settings)
    words = [*jobs.AVERAGINGS["parameters"], "--shuffle-once"]
    done = place.run(tmp_path, *inputs(store), f"{store.url}/{out}", *words)
    assert done.returncode == 0, done.stdout[-3000:]
    assert store.get(f"{out}/model.npz") == local_model("parameters", "--shuffle-once")


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_store_serves_yarn(store_of, hadoop, inputs, local_model, tmp_path, kind):
    store, out = store_of(kind), "out/yarn"
    place = jobs.on_yarn(hadoop, "cluster", tmp_path).with_settings(store.settings)
    done = place.run(tmp_path, *inputs(store), f"{store.url}/{out}", *jobs.AVERAGINGS["gradients"])
    application = hadoop.applications()[-1]["id"]
    assert done.returncode == 0, hadoop.logs(application)[-3000:]
    assert store.get(f"{out}/model.npz") == local_model("gradients")
    for text in (
        done.stdout,
        hadoop.logs(application),
        *(store.get(name).decode("latin1") for name in store.names(out)),
    ):
        assert SECRET not in text
