"""The real thing: spark-submit on a few hundred rows, through to the plots, as a user types it."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

import nn
from nn.io import package
from tests.support import ROOT
from tests.support.data import blobs, write_csv
from tests.support.result_files import holds_no_results
from tests.support.submitting import MAIN, begin_on_terminal, job, shown_until, submit, write_text_set

LEFT_BY_AN_ERROR = {
    "_ERROR.json",
    "config.json",
    "history.csv",
    "cost_history",
    "accuracy_history",
    "checkpoints",
}
pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Four files of an easy set in the original's format."""
    return write_text_set(tmp_path_factory.mktemp("data"))


WORDS = ["--epochs", "60", "--learning-rate", "0.5", "--scale", "largest"]  # few pixels are taken for a table


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """One run from another working folder, its console and its OUTPUT."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    done = submit(MAIN, *data, "out", *WORDS, cwd=elsewhere)
    assert done.returncode == 0, done.stdout[-3000:]
    return done, elsewhere / "out"


def test_job_leaves_everything_it_promises(finished):
    _, out = finished
    expected = {"_SUCCESS", "cost_history", "accuracy_history", "metrics", "tests", "history.csv"}
    expected |= {
        "config.json",
        "confusion_matrix.csv",
        "examples.csv",
        "summary.json",
        "model.npz",
        "model.md",
    }
    expected |= {"checkpoints"}
    assert {path.name for path in out.iterdir()} == expected
    for folder in ("cost_history", "accuracy_history", "metrics", "tests"):
        assert sorted(path.name for path in (out / folder).iterdir()) == ["_SUCCESS", "part-00000"]


def test_job_histories_agree_with_each_other(finished):
    _, out = finished
    rows = list(csv.DictReader((out / "history.csv").open()))
    assert [int(row["epoch"]) for row in rows] == list(range(1, 61))
    for name in ("cost", "accuracy"):
        plain = np.loadtxt(out / f"{name}_history" / "part-00000")
        assert plain.tolist() == [float(row[name]) for row in rows]
    standing = [float(row["cost"]) for row in rows if row["accepted"] == "1"]
    assert standing == sorted(standing, reverse=True)


def test_job_learns_and_its_saved_model_predicts_what_it_scored(finished, data):
    _, out = finished
    summary = json.loads((out / "summary.json").read_text())
    inputs, labels = np.loadtxt(data[2]), np.loadtxt(data[3]).argmax(axis=1)
    predictions = nn.load(out / "model.npz").predict(inputs)
    assert np.mean(predictions == labels) == summary["test"]["accuracy"] > 0.8
    confusion = np.loadtxt(out / "confusion_matrix.csv", delimiter=",", skiprows=1)[:, 1:]
    assert confusion[1, 2] == np.sum((labels == 1) & (predictions == 2)) and confusion.sum() == 100
    pairs = [
        tuple(map(int, line.strip("()\n").split(", "))) for line in (out / "tests" / "part-00000").open()
    ]
    assert pairs == list(zip(predictions[:15].tolist(), labels[:15].tolist(), strict=True))


def test_job_shows_a_line_an_epoch_and_no_screens_of_log(finished):
    done, _ = finished
    lines = done.stdout.splitlines()
    assert sum("/60 " in line for line in lines) == 60
    assert any(line.startswith("test      accuracy") for line in lines)
    assert " INFO " not in done.stdout and "Traceback" not in done.stdout
    assert len(lines) < 81  # of them one says where the time went


def test_job_output_can_be_drawn(finished):
    _, out = finished
    done = subprocess.run(
        [sys.executable, str(ROOT / "generate_plots.py"), str(out)],
        capture_output=True,
        text=True,
        cwd=out.parent,
    )
    assert done.returncode == 0, done.stderr
    pictures = {path.name for path in out.glob("*.png")}
    names = ("cost_history", "accuracy_history", "learning_rate", "epoch_time", "confusion_matrix")
    names += ("class_metrics", "samples", "weights")
    assert pictures == {f"{name}.png" for name in names}


def test_job_gives_the_same_bits_again_and_overwrites(finished, data, tmp_path):
    _, out = finished
    mine = tmp_path / "out"
    shutil.copytree(out, mine)
    (mine / "thesis.tex").write_text("kept")
    old = (mine / "model.npz").read_bytes()[:-1]  # as a write that was cut short may leave it
    (mine / "model.npz").write_bytes(old)
    refused = submit(MAIN, *data, mine, *WORDS, cwd=tmp_path)
    assert refused.returncode == 2 and "--overwrite" in refused.stdout
    assert (mine / "model.npz").read_bytes() == old
    done = submit(MAIN, *data, mine, *WORDS, "--overwrite", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert (mine / "model.npz").read_bytes() == (out / "model.npz").read_bytes()
    assert (mine / "thesis.tex").read_text() == "kept"


def test_lone_main_task_runs_with_the_zip_and_says_what_is_missing_without(data, tmp_path):
    shutil.copy(MAIN, tmp_path)
    package.write_zip(tmp_path / "nn.zip")
    words = [*data, "out", "--epochs", "3", "--batch-size", "100", "--schedule", "constant"]
    done = submit("main_task.py", *words, cwd=tmp_path, conf=["--py-files", "nn.zip"])
    assert done.returncode == 0, done.stdout
    assert len((tmp_path / "out" / "history.csv").read_text().splitlines()) == 4
    (tmp_path / "nn.zip").unlink()
    bare = submit("main_task.py", *words, cwd=tmp_path)
    assert bare.returncode == 4
    assert "main_task.py: error: no Python module named nn here; add --py-files nn.zip" in bare.stdout


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda words: words[:4], 2, "the following arguments are required: OUTPUT"),
        (lambda words: [*words, "--hidden", "x"], 2, "--hidden: expected units as 64 or 128,64, found 'x'"),
        (lambda words: ["nowhere.csv", *words[1:]], 3, "TRAIN_IMAGES: no such file or folder: nowhere.csv"),
        (lambda words: [words[1], words[0], *words[2:]], 3, "TRAIN_IMAGES and TRAIN_LABELS look swapped"),
    ],
    ids=["missing", "option", "file", "swapped"],
)
def test_bad_input_is_one_line_an_exit_code_and_no_results(data, tmp_path, change, code, message):
    done = submit(MAIN, *change([*data, "out"]), cwd=tmp_path)
    ours = [line for line in done.stdout.splitlines() if line.startswith("main_task.py: error: ")]
    assert done.returncode == code, done.stdout
    assert len(ours) == 1 and message in ours[0]
    assert "Traceback" not in done.stdout and "at org.apache" not in done.stdout
    assert {path.name for path in tmp_path.iterdir()} <= {"out"} and holds_no_results(tmp_path / "out")


def test_run_on_another_file_system_with_labels_in_a_column(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    for name, rows in (("train", 300), ("test", 60)):
        inputs, labels = blobs(rows, width=9, seed=rows)
        np.savetxt(disk / f"{name}.csv", np.column_stack([inputs, labels]), fmt="%d", delimiter=";")
    mount = ["--conf", f"spark.hadoop.fs.viewfs.mounttable.far.link./data=file://{disk}"]
    words = ["viewfs://far/data/train.csv", "-", "viewfs://far/data/test.csv", "-", "viewfs://far/data/out"]
    words += ["--label-column", "-1", "--epochs", "20", "--activation", "tanh", "--learning-rate", "1"]
    done = submit(MAIN, *words, cwd=tmp_path, conf=mount)
    assert done.returncode == 0, done.stdout
    assert len((disk / "out" / "history.csv").read_text().splitlines()) == 21
    assert (disk / "out" / "_SUCCESS").exists() and not list(disk.glob("out/*_RUNNING*"))
    assert nn.load(disk / "out" / "model.npz").model.input_shape == (9,)


@pytest.fixture(scope="module")
def small_images(tmp_path_factory):
    """A folder with 6x6 images, labels and row weights in the same lines, and a configuration that trains on them."""
    folder = tmp_path_factory.mktemp("images")
    for name, rows in (("train", 300), ("test", 60)):
        inputs, labels = blobs(rows, width=36, seed=rows)
        weights = np.where(np.arange(rows) % 2, 0.5, 1.5)
        np.savetxt(
            folder / f"{name}.csv", np.column_stack([labels, weights, inputs]), fmt="%g", delimiter=","
        )
    config = {
        "about": "all at once",
        "get_data": "python make_it.py",
        **{"train_images": "train.csv", "train_labels": "-", "test_images": "test.csv", "test_labels": "-"},
        **{"label_column": 0, "weight_column": 1, "class_weights": "balanced", "validation_fraction": 0.2},
        "layers": "conv2d:8x3,relu,flatten,dropout:0.2",
        "loss": {"name": "cross-entropy", "smoothing": 0.05},
        **{"optimizer": "adamw:0.05", "schedule": "one-cycle", "learning_rate": 0.02, "clip": 5},
        **{"batch_size": 60, "epochs": 8, "patience": 4, "augment": "shift:0.3,rotate:3", "l2": 1e-4},
    }
    (folder / "all.json").write_text(json.dumps(config))
    return folder


def test_a_configuration_trains_images_and_its_resolved_form_gives_the_same_model(small_images):
    first = submit(MAIN, "out", "--config", "all.json", cwd=small_images)
    assert first.returncode == 0, first.stdout
    assert "recipe    all at once" in first.stdout and "conv2d:8x3" in first.stdout
    assert "held out for validation" in first.stdout
    assert "val cost" in first.stdout and "kept      " in first.stdout
    rows = list(csv.DictReader((small_images / "out" / "history.csv").open()))
    summary = json.loads((small_images / "out" / "summary.json").read_text())
    best = min(rows, key=lambda row: float(row["val_cost"]))
    assert summary["train"]["best_epoch"] == int(best["epoch"])
    assert summary["train"]["val_accuracy"] == float(best["val_accuracy"])
    assert summary["train"]["rows"] + summary["train"]["validation_rows"] == 300
    assert summary["model"]["input_shape"] == [6, 6, 1] and summary["test"]["accuracy"] > 0.8
    words = ["again", "--config", "out/config.json"]
    again = submit(MAIN, *words, cwd=small_images)
    assert again.returncode == 0, again.stdout
    for name in ("model.npz", "model.md"):
        same = [(small_images / folder / name).read_bytes() for folder in ("out", "again")]
        assert same[0] == same[1]
    card = same[0].decode()
    assert (
        f"accuracy: the share of rows that are predicted correctly | {summary['test']['accuracy']:.6g} |"
        in card
    )
    assert "conv2d:8x3" in card and f"the weights of epoch {summary['train']['best_epoch']} are kept" in card


def test_data_that_cannot_be_learned_from_leave_an_earlier_run_as_it_was(finished, small_images, tmp_path):
    shutil.copytree(finished[1], tmp_path / "out")
    before = {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    table = np.loadtxt(small_images / "train.csv", delimiter=",")
    table[:, 1] = 0
    np.savetxt(tmp_path / "train.csv", table, fmt="%g", delimiter=",")
    shutil.copy(small_images / "test.csv", tmp_path)
    words = ["out", "--overwrite", "--config", small_images / "all.json"]
    done = submit(MAIN, *words, cwd=tmp_path)
    assert (
        done.returncode == 3
        and "TRAIN_IMAGES: expected training rows with a total weight above 0" in done.stdout
    )
    (tmp_path / "out" / "_ERROR.json").unlink()
    assert {path: path.read_bytes() for path in (tmp_path / "out").rglob("*") if path.is_file()} == before


def test_a_recipe_without_its_data_says_how_to_make_it(small_images, tmp_path):
    done = submit(MAIN, "out", "--config", small_images / "all.json", cwd=tmp_path)
    message = "TRAIN_IMAGES: no such file or folder: train.csv; make it with: python make_it.py"
    assert done.returncode == 3 and message in done.stdout.splitlines()[-1]


def test_lbfgs_runs_as_a_job(data, tmp_path, spark, capsys):
    words = ["--optimizer", "l-bfgs:tolerance=0.003", "--loss", "cross-entropy", "--l2", "0.1"]
    job(spark, *data, tmp_path / "out", *words, "--epochs", "99", "--activation", "tanh")
    rows = list(csv.DictReader((tmp_path / "out" / "history.csv").open()))
    assert len(rows) < 99 and "stopped   after epoch" in capsys.readouterr().out
    assert float(rows[-1]["cost"]) < 0.8 * float(rows[0]["cost"])


def test_diverged_run_ends_with_its_own_code_and_keeps_the_histories(data, tmp_path):
    words = ["--schedule", "constant", "--learning-rate", "1e30", "--activation", "relu", "--hidden", "8,8"]
    done = submit(MAIN, *data, "out", *words, "--loss", "cross-entropy", cwd=tmp_path)
    assert done.returncode == 5, done.stdout
    assert "try --learning-rate 1e+29 or --schedule bold-driver" in done.stdout.splitlines()[-1]
    assert "Warning: overflow" not in done.stdout
    assert "epoch 1, the last that was sound, is kept in" in done.stdout.splitlines()[-1]
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == LEFT_BY_AN_ERROR


def test_run_whose_every_epoch_is_undone_keeps_its_start_values(data, tmp_path, spark):
    words = ["--batch-size", "100", "--learning-rate", "1000", "--loss", "cross-entropy", "--epochs", "2"]
    job(spark, *data, tmp_path / "out", *words)
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["train"]["epochs"] == 2 and summary["train"]["cost"] is None
    assert [row["accepted"] for row in csv.DictReader((tmp_path / "out" / "history.csv").open())] == [
        "0",
        "0",
    ]


def test_terminal_shows_one_live_line(data, tmp_path):
    process, terminal = begin_on_terminal([*data, "out", "--epochs", "5"], tmp_path)
    shown = shown_until(terminal)
    assert process.wait(60) == 0, shown
    assert "\r[##" in shown and "epoch 3/5" in shown
    assert shown.count("        5/5") == 1 and "        4/5" not in shown and "test      accuracy" in shown


def test_ctrl_c_leaves_whole_histories_and_no_screens_of_trace(data, tmp_path):
    process, terminal = begin_on_terminal([*data, "out", "--epochs", "100000"], tmp_path)
    shown = shown_until(terminal, b"epoch 5/")
    os.write(terminal, b"\x03")
    shown += shown_until(terminal)
    assert process.wait(60) == 130
    saying = r"main_task.py: interrupted; the same command with --resume goes on after epoch (\d+)"
    message = re.fullmatch(saying, shown.splitlines()[-1])
    assert message, shown
    assert int(message[1]) >= max(map(int, re.findall(r"epoch (\d+)/", shown)))  # all that was shown is kept
    assert "Traceback" not in shown and "py4j" not in shown, shown[-3000:]
    out = tmp_path / "out"
    left = {path.name for path in out.iterdir()}
    assert left == LEFT_BY_AN_ERROR
    rows = (out / "history.csv").read_text().splitlines()
    assert len(rows) >= 5 and len({row.count(",") for row in rows}) == 1


def test_help_answers_before_spark_starts():
    done = subprocess.run(
        [sys.executable, str(MAIN), "--help"],
        capture_output=True,
        text=True,
        env={**os.environ, "JAVA_HOME": "/nowhere", "PATH": ""},
    )
    assert done.returncode == 0 and "--batch-size" in done.stdout and done.stderr == ""


def test_job_averages_replicas_says_when_rows_are_sorted_and_shuffles_them(tmp_path, spark, capsys):
    paths = []
    for name, rows, seed in (("train", 1200, 1), ("test", 300, 2)):
        inputs, labels = blobs(rows, width=9, seed=seed)
        order = np.argsort(labels, kind="stable")
        paths += [
            write_csv(tmp_path / f"x_{name}.csv", inputs[order]),
            write_csv(tmp_path / f"y_{name}.csv", labels[order]),
        ]
    words = ["--average", "parameters", "--partitions", "4", "--batch-size", "16", "--activation", "relu"]
    words += [
        "--loss",
        "cross-entropy",
        "--optimizer",
        "momentum",
        "--learning-rate",
        "0.05",
        "--epochs",
        "3",
    ]
    accuracy = {}
    for out, more in (
        ("sorted", []),
        ("mixed", ["--shuffle-once", "--rounds-per-epoch", "2", "--outer-momentum", "0.2"]),
    ):
        job(spark, *paths, tmp_path / out, *words, *more)
        shown = capsys.readouterr().out
        assert ("rows look sorted by class" in shown) == (out == "sorted")
        assert "% of " in shown and "was computing on 2 cores" in shown
        summary = json.loads((tmp_path / out / "summary.json").read_text())
        accuracy[out] = summary["test"]["accuracy"]
        rows = list(csv.DictReader((tmp_path / out / "history.csv").open()))
        assert [int(row["rows"]) for row in rows] == [1200] * 3
        for row in rows:
            phases = [float(row[name]) for name in ("schedule", "read", "compute", "sum", "update")]
            assert sum(phases) == pytest.approx(float(row["seconds"])) and min(phases) >= 0
        assert summary["configuration"]["shuffle_once"] == (out == "mixed")
        assert summary["configuration"]["average"] == "parameters"
    assert accuracy["mixed"] > 0.9


def test_job_chooses_defaults_for_many_replicas_and_penalises_their_weights(data, tmp_path, spark, capsys):
    words = ["--average", "parameters", "--partitions", "16", "--epochs", "1", "--activation", "relu"]
    words += ["--learning-rate", "1e-9"]  # so that they end where they started
    costs = []
    for out, more in (("plain", []), ("penalised", ["--l2", "0.5"])):
        job(spark, *data, tmp_path / out, *words, *more)
        assert (
            "replicas in batches of 32 rows, averaged once per epoch with outer rate 1 and momentum 0.5"
            in capsys.readouterr().out
        )
        configuration = json.loads((tmp_path / out / "config.json").read_text())
        assert (configuration["batch_size"], configuration["outer_momentum"]) == (32, 0.5)
        costs.append(float(next(csv.DictReader((tmp_path / out / "history.csv").open()))["cost"]))
    with np.load(tmp_path / "penalised" / "model.npz") as model:
        squares = sum(float(np.sum(model[name] ** 2.0)) for name in model.files if name.endswith("W"))
    assert costs[1] == pytest.approx(costs[0] + 0.25 * squares, rel=1e-4)
