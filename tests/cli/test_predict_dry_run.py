"""predict_task.py --dry-run: what would be read, predicted and written, without Spark."""

import subprocess
import sys

import numpy as np
import pytest

import nn
from nn.cli.predict_dry_run import lines
from nn.cli.predict_options import parse
from nn.core.errors import DataError, MissingFileError, UsageError
from tests.support import ROOT

TABLE = {"age": [30.0, 40, 50, 60] * 5, "city": ["Rome", "Lima", "Rome", "Oslo"] * 5}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A folder with the model of a table and that of rows of numbers."""
    folder = tmp_path_factory.mktemp("models")
    labels = np.array(["no", "yes"] * 10)
    nn.fit(TABLE, labels, layers="dense:4,relu", epochs=1).classifier.save(folder / "table.npz")
    nn.fit(np.arange(60).reshape(20, 3), labels == "yes", hidden=4, epochs=1).classifier.save(
        folder / "numbers.npz"
    )
    return folder


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text('id,city,age\n1,"Rome, Italy",30\n2,Lima,NA\n')
    return path


def plan(*words):
    return lines(parse([str(word) for word in words])).splitlines()


def test_the_program_says_the_plan_without_java(models, people, tmp_path):
    words = [
        models / "table.npz",
        people,
        tmp_path / "out",
        "--id-column",
        "id",
        "--probabilities",
        "--dry-run",
    ]
    done = subprocess.run(
        [sys.executable, str(ROOT / "predict_task.py"), *map(str, words)],
        capture_output=True,
        text=True,
        env={"PATH": "", "JAVA_HOME": "/nowhere"},
    )
    assert done.returncode == 0 and done.stderr == "", done.stderr
    first, model, *network, takes, data, writes = done.stdout.splitlines()
    assert first == "dry run   nothing was started"
    assert model == f"model     {models / 'table.npz'} predicts the classes no, yes"
    assert any(line.split() == ["1", "dense:4", "4", "24"] for line in network)
    assert takes == "takes     age (number), city (category of 3)"
    assert (
        data
        == f"data      {people}: 1 file of {people.stat().st_size} bytes and 3 columns, 2 of them for the model"
    )
    assert writes == (
        f"writes    {tmp_path / 'out'}/predictions: csv with the columns id, prediction, probability_no, "
        "probability_yes"
    )
    assert not (tmp_path / "out").exists()


def test_numbers_are_taken_in_their_order_and_layers_written(models, tmp_path):
    (tmp_path / "x.csv").write_text("1 2 3\n4 5 6\n")
    told = plan(models / "numbers.npz", tmp_path / "x.csv", tmp_path / "out", "--layer", 1)
    assert "takes     3 numbers, in their order" in told
    assert told[-1].endswith("csv with the columns row, layer1_0, layer1_1, layer1_2, layer1_3")


def test_what_lies_elsewhere_is_not_read(models, people):
    told = plan(
        models / "table.npz", "hdfs://x/rows", "hdfs://x/out", "--keep", "city", "--output-format", "json"
    )
    assert told[-2].startswith("note      INPUT: not read, it is no plain text on this machine")
    assert told[-1] == "writes    hdfs://x/out/predictions: json with the columns city, prediction"
    told = plan("hdfs://x/model.npz", people, "hdfs://x/out")
    assert told[1] == "note      MODEL: not read, it is not on this machine" and len(told) == 3


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        ("none.npz people.csv", MissingFileError, "MODEL: no such file or folder: .*none.npz"),
        ("table.npz none.csv", MissingFileError, "INPUT: no such file or folder: .*none.csv"),
        ("table.npz people.csv --labels no.csv", MissingFileError, "LABELS: no such file or folder: no.csv"),
        ("people.csv people.csv", DataError, "MODEL: .*people.csv: cannot be read as a model"),
        ("folder people.csv", DataError, "MODEL: .*folder: expected a model file, found a folder"),
        (
            "numbers.npz people.csv --id-column id",
            DataError,
            "expected 3 input values a row, .*, found 2; --label-",
        ),
        ("table.npz ages.csv", DataError, "expected the columns of the model, found none called 'city'"),
        ("table.npz empty.csv", DataError, "INPUT: expected rows, found nothing in"),
        ("table.npz people.csv --keep town", DataError, "--keep: expected a column of .*, found 'town'"),
        ("table.npz people.csv --layer tanh", UsageError, "--layer: expected a layer of the network"),
        ("table.npz people.csv --top 3", UsageError, "top: expected at most 2 classes, got 3"),
    ],
)
def test_what_does_not_fit_is_told_as_by_the_run(models, people, tmp_path, words, kind, message):
    (tmp_path / "ages.csv").write_text("age\n30\n")
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "folder").mkdir()
    first, second, *options = words.split()
    model = models / first if (models / first).exists() else tmp_path / first
    with pytest.raises(kind, match=message):
        plan(model, tmp_path / second, tmp_path / "out", *options)


def test_an_output_that_the_run_would_refuse_is_refused(models, people, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="expected a folder that is new or empty, found mine.txt"):
        plan(models / "table.npz", people, tmp_path / "out")
    with pytest.raises(UsageError, match=r"expected a folder that predict_task\.py wrote"):
        plan(models / "table.npz", people, tmp_path / "out", "--overwrite")


@pytest.mark.parametrize("place", ["", "/predictions", "/predictions/part-00000.csv", "/../out"])
def test_rows_and_models_that_the_run_would_replace_are_refused(models, tmp_path, place):
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(
        UsageError, match="^INPUT: expected a path outside of OUTPUT, which is replaced, found"
    ):
        plan(models / "table.npz", f"{out}{place}", f"file://{out}", "--overwrite")
    with pytest.raises(UsageError, match="^MODEL: expected a path outside of OUTPUT"):
        plan(f"hdfs://x/out{place.replace('/..', '')}", out, "hdfs://x/out/")
    with pytest.raises(MissingFileError):
        plan(models / "table.npz", f"{out}-more/x.csv", out)
