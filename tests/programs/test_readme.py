"""The commands of README and of two pages in a fresh copy of the project: each does what its page says."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from nn.training.recipe_files import recipe_object
from nn.training.run_options import DATA_PATHS
from tests.support import ROOT
from tests.support.data import write_csv
from tests.support.pages import blocks
from tests.support.submitting import environment, job, predict

pytestmark = pytest.mark.spark

DRAWN = "python generate_data.py --dataset synthetic --train-rows 1500 --test-rows 300"
# What would install, download, test all or need a cloud, and what stands for it here.
INSTEAD = {
    r"make train\b.*": "eval \"$(make -n train | sed -n 's/.*tools.setup.inside .venv //p' | grep -v '^$')\"",
    r"make package\b.*": "python -m tools.setup.distribution dist",
    r"\. \.venv/bin/activate\b.*": ":",
    r"python generate_data\.py\s*(#.*)?": DRAWN,
    r"gcloud (.|\\\n)*": ":",
}


def commands(page="README.md"):
    """The shell commands, with what stands for those that cannot be run here."""
    for line, block in blocks("sh", page):
        for command in re.findall(r"(?:.*\\\n)*.+", block):
            replaced = next((new for old, new in INSTEAD.items() if re.fullmatch(old, command)), command)
            yield line, replaced


def made(folder, names):
    """The names in a folder that make or a run has put there."""
    at_the_top = {"output", "dist", "runs", "data"} if Path(folder) == ROOT else {"results"}
    return {name for name in names if name.startswith(".") or name in {"__pycache__", *at_the_top}}


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The files of the project without what is made of them, and data where make train would put them."""
    folder = tmp_path_factory.mktemp("project") / "copy"
    shutil.copytree(ROOT, folder, ignore=made)
    assert run(DRAWN, folder).returncode == 0
    return folder


def run(command, folder):
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )


def python(folder, *parts):
    """Run a program of several parts."""
    command = [sys.executable, "-c", "\n".join(parts)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done


def notes(text):
    return [line for line in text.splitlines() if line.startswith("note ")]


def shown_words(page="README.md"):
    """The first words of the lines that a page shows as printed."""
    return [
        line.split()[0]
        for _, block in blocks("", page)
        for line in block.splitlines()
        if line[:1].strip() and line != "..."
    ]


@pytest.mark.pages
def test_readme_runs_from_top_to_bottom_and_gives_no_notes(copy):
    shown = ""
    for line, command in commands():
        done = run(command, copy)
        assert done.returncode == 0, (line, command, done.stdout[-3000:])
        assert not notes(done.stdout), (line, command, notes(done.stdout))
        if command.startswith("head "):  # the predictions of rows without labels
            header, first, _ = done.stdout.splitlines()
            assert header in command and first.startswith("1001,")
        shown += done.stdout
    for folder in ("output", "runs/customers", "runs/predicted"):
        assert json.loads((copy / folder / "summary.json").read_text())["test"]["accuracy"] > 0.3
    assert "bought" not in (copy / "data/people.csv").read_text()
    printed = {line.split()[0] for line in shown.splitlines() if line[:1].strip()}
    assert len(shown_words()) == 6 and set(shown_words()) <= printed


def test_readme_trains_the_same_network_in_a_pipeline_and_in_plain_python(spark, copy, capsys):
    if not (copy / "data/customers.csv").exists():
        assert run("python generate_data.py --dataset customers", copy).returncode == 0
    in_pipeline, in_python = (block for _, block in blocks("python"))
    session = SparkSession.builder.getOrCreate()
    exec(in_pipeline.replace('"data/', f'"{copy}/data/'), {"spark": session})
    assert re.search(r"^\|1\d+\| +(yes|no)\| +(yes|no)\|\[0\.", capsys.readouterr().out, re.MULTILINE)
    pytest.importorskip("pandas")
    assert (
        float(python(copy, in_python).stdout) == pytest.approx(0.87, abs=0.03) and "about 0.87" in in_python
    )
    assert (copy / "customers.npz").exists()


TRAINING = "docs/training.md"


@pytest.mark.pages
def test_the_page_on_training_runs_from_top_to_bottom_and_gives_no_notes(spark, copy, monkeypatch, capsys):
    monkeypatch.chdir(copy)
    shutil.rmtree(copy / "runs", ignore_errors=True)  # README's
    ran = []
    for _, command in commands(TRAINING):
        program, *words = shlex.split(command.replace("\\\n", " "), comments=True)
        if program == "spark-submit":
            program, *words = words
            if words[0] == "--config":  # Spark's Java half has a working folder of its own
                words = [
                    *(recipe_object(words[1])[name] for name in DATA_PATHS),
                    words[2],
                    *words[:2],
                ]
            absolute = [str(copy / word) if re.match("(data|runs)/", word) else word for word in words]
            (job if program == "main_task.py" else predict)(spark, *absolute)
        else:
            assert run(command, copy).returncode == 0, command
        ran.append(program)
    assert {"main_task.py", "predict_task.py"} <= set(ran) and not notes(capsys.readouterr().out)
    for folder in ("runs/first", "runs/cnn", "runs/predicted"):
        assert json.loads((copy / folder / "summary.json").read_text())["test"]["accuracy"] > 0.3
    assert len(list((copy / "runs/first").glob("*.png"))) == 8
    done = python(copy, *(block for _, block in blocks("python", TRAINING)))
    accuracy = json.loads((copy / "runs/first" / "summary.json").read_text())["test"]["accuracy"]
    assert float(done.stdout.split()[0]) == pytest.approx(accuracy)
    assert (copy / "digits.npz").exists()


@pytest.mark.pages
def test_your_data_does_and_prints_what_the_page_says(copy):
    pytest.importorskip("pandas")
    page = "docs/your_data.md"
    shutil.rmtree(copy / "runs/customers", ignore_errors=True)
    shown = ""
    for line, command in commands(page):
        if not command.startswith("# "):
            done = run(command, copy)
            assert done.returncode == 0 and not notes(done.stdout), (line, command, done.stdout[-3000:])
            shown += done.stdout
            continue
        assert command[2:] in shown.splitlines(), (line, command)
    assert [block in shown for _, block in blocks("", page)] == [True]
    scores = json.loads((copy / "runs/customers/summary.json").read_text())["test"]
    assert scores["accuracy"] > 0.85 and len(list((copy / "runs/customers").glob("*.png"))) == 6
    first, second = (block for _, block in blocks("python", page))
    ends = "print(model.predict(people))", "print((model.predict(test) == test['bought']).mean())"
    labels, accuracy = python(copy, first, ends[0], second, ends[1]).stdout.splitlines()
    assert labels == "['yes' 'no']" and "array(['yes', 'no'])" in first
    assert float(accuracy) == pytest.approx(0.87, abs=0.03) and "about 0.87" in second


def test_the_guide_tries_rates_and_finds_the_lowest_of_them_too_low(copy):
    pytest.importorskip("pandas")
    if not (copy / "data/customers.csv").exists():
        assert run("python generate_data.py --dataset customers", copy).returncode == 0
    (code,) = (block for _, block in blocks("python", "docs/guide.md"))
    costs = [tuple(map(float, line.split())) for line in python(copy, code).stdout.splitlines()]
    assert [rate for rate, _ in costs] == [0.0001, 0.001, 0.003, 0.01, 0.1]
    assert max(costs, key=lambda pair: pair[1])[0] == 0.0001
    assert dict(costs)[0.0001] == pytest.approx(0.427, abs=0.02) and dict(costs)[0.01] == pytest.approx(
        0.357, abs=0.02
    )


@pytest.mark.pages
def test_the_tutorial_runs_and_its_first_part_reads_the_results(copy):
    jobs = []
    for part in sorted(path.name for path in (ROOT / "docs/tutorial").glob("[0-9]-*.md")):
        for line, command in commands(f"docs/tutorial/{part}"):
            if (copy / "output").exists() and "make -n train" in command:
                continue  # README's first command has made it
            done = run(command, copy)
            assert done.returncode == 0 and not notes(done.stdout), (part, line, command, done.stdout[-3000:])
            jobs += re.findall(r"^jobs      (\d+) per epoch", done.stdout, re.MULTILINE)
    assert jobs == ["2", "1"]  # of 1,500 rows; of MNIST's 60,000 the first is 60
    first = "docs/tutorial/0-ten-minutes.md"
    lines = python(copy, *(code for _, code in blocks("python", first))).stdout.splitlines()
    ((_, shown),) = blocks("text", first)
    assert lines[-2] == shown.strip()
    assert re.fullmatch(r"\d+ rows of digit \d are predicted as \d", lines[-1])


@pytest.mark.parametrize(
    ("name", "words"), [("original", []), ("binary", []), ("mlp", ["--epochs", "10"]), ("lbfgs", [])]
)
def test_recipes_give_no_notes(spark, copy, name, words, capsys):
    if name == "binary":
        made = run(f"{DRAWN} --digits 0,1 --output data/binary", copy)
        assert made.returncode == 0, made.stdout
    recipe = copy / "recipes" / f"{name}.json"
    sets = [json.loads(recipe.read_text())[argument] for argument in DATA_PATHS]
    job(spark, *(copy / path for path in sets), copy / "runs" / name, "--config", recipe, *words)
    shown = capsys.readouterr().out
    assert "written   " in shown and not notes(shown)


@pytest.fixture
def table(tmp_path, rng):
    """The places of a table of which nothing can be learned: 300 training and 60 test rows of noise, two classes."""
    for name, rows in (("train", 300), ("test", 60)):
        write_csv(
            tmp_path / f"{name}.csv", np.column_stack([rng.integers(0, 256, (rows, 4)), np.arange(rows) % 2])
        )
    return [tmp_path / "train.csv", "-", tmp_path / "test.csv", "-", tmp_path / "out"]


def test_a_run_that_learned_nothing_says_so_below_its_score(spark, table, capsys):
    job(spark, *table, "--label-column", -1, "--epochs", 2, "--learning-rate", 1e-9)
    lines = capsys.readouterr().out.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("test      accuracy 50.00%"))
    assert lines[at + 1].startswith("note      all 60 test rows were predicted as class ")
    assert lines[at + 2].startswith("note      the training cost has hardly changed in 2 epochs")


def test_an_epoch_of_more_than_100_jobs_is_noted_with_the_time_it_will_take(spark, table, capsys):
    words = ["--label-column", -1, "--epochs", 1, "--schedule", "constant", "--overwrite"]
    for size, noted in ((2, True), (3, False)):
        job(spark, *table, *words, "--batch-size", size)
        many = [line for line in notes(capsys.readouterr().out) if "Spark jobs" in line]
        assert len(many) == noted
        if noted:
            note = r"an epoch is 150 Spark jobs of about \d+ ms, \d+s per epoch and \d+s in all, one per mini"
            assert re.search(note, many[0]) and "--average parameters" in many[0]
