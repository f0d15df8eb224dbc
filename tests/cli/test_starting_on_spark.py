"""Runs that start from the model of an earlier run: numbers and tables, other classes, and --resume."""

import dataclasses
import json

import numpy as np
import pytest

import nn
from nn.cli import check as checking
from nn.cli import parser
from nn.cli.resume import Start
from nn.core.errors import DataError, UsageError
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.run_directory import Output
from tests.support.data import blobs, write_csv
from tests.support.submitting import job

pytestmark = pytest.mark.spark

NETWORK = ["--layers", "dense:8,relu,dense:6,tanh", "--loss", "cross-entropy", "--optimizer", "adam"]
WORDS = [*NETWORK, "--batch-size", "60", "--epochs", "2", "--partitions", "2"]
KEPT = ["--keep-layers", "4", "--freeze", "2"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Sets of three and of five classes: (train images, train labels, test images, test labels) each."""
    folder, sets = tmp_path_factory.mktemp("data"), {}
    for classes in (3, 5):
        paths = []
        for name, rows in (("train", 120), ("test", 40)):
            inputs, labels = blobs(rows, width=9, classes=classes, seed=rows)
            paths.append(write_csv(folder / f"images_{name}_{classes}.csv", inputs))
            paths.append(write_csv(folder / f"labels_{name}_{classes}.csv", labels))
        sets[classes] = paths
    return sets


@pytest.fixture(scope="module")
def model(spark, data, tmp_path_factory):
    """The model of a run on three classes."""
    out = tmp_path_factory.mktemp("first") / "out"
    job(spark, *data[3], out, *WORDS)
    return out / "model.npz"


def test_frozen_layers_of_a_model_learn_other_classes_and_go_on_where_they_ended(
    spark, data, model, tmp_path, capsys
):
    words = [*data[5], tmp_path / "out", *WORDS, "--start-from", model, *KEPT]
    job(spark, *words)
    assert "frozen    layers 1 to 2: 89 of 169 parameters are learned" in capsys.readouterr().out
    first, second = nn.load(model), nn.load(tmp_path / "out" / "model.npz")
    assert np.array_equal(first.params[0]["W"], second.params[0]["W"])
    assert not np.array_equal(first.params[2]["W"], second.params[2]["W"]) and second.classes == 5
    assert second.model.encoder == first.model.encoder
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())["start"]
    assert (summary["kept_layers"], summary["frozen_layers"], summary["model"]) == (4, 2, str(model))

    longer = [*words, "--epochs", "4"]
    job(spark, *longer, "--resume")
    longer[len(data[5])] = tmp_path / "whole"
    job(spark, *longer)
    resumed, whole = (nn.load(tmp_path / name / "model.npz") for name in ("out", "whole"))
    for one, other in zip(resumed.params, whole.params, strict=True):
        assert all(np.array_equal(one[name], other[name]) for name in one)
    other_weights = [{name: array + 1 for name, array in layer.items()} for layer in first.params]
    nn.save(tmp_path / "changed.npz", first.model, other_weights)
    changed = [tmp_path / "changed.npz" if word == model else word for word in words]
    with pytest.raises(
        DataError, match="expected the MODEL that the run in OUTPUT started from, found another"
    ):
        job(spark, *changed, "--epochs", "9", "--resume")


def test_other_classes_without_keep_layers_are_refused_with_the_line(spark, data, model, tmp_path):
    message = (
        r"labels_train_5.csv, line \d+: expected a class number in 0..2, found \d; --keep-layers N keeps"
    )
    with pytest.raises(DataError, match=message):
        job(spark, *data[5], tmp_path / "out", *WORDS, "--start-from", model)


def table_of(seed, cities):
    """Columns of numbers and names, and the labels (n,)."""
    rng = np.random.default_rng(seed)
    age = rng.integers(20, 70, 60)
    columns = {
        "age": age,
        "city": np.array(cities)[np.arange(60) % len(cities)],
        "time": 1_600_000_000 + rng.integers(0, 99, 60),
    }
    return columns, np.where(age > 40, "yes", "no")


def write_table(path, columns, labels, order):
    columns = {**columns, "bought": labels, "more": np.arange(60)}
    rows = zip(*(columns[name].tolist() for name in order), strict=True)
    path.write_text("\n".join([",".join(order), *(",".join(map(str, row)) for row in rows), ""]))
    return path


def test_a_table_is_read_for_the_columns_of_the_model(spark, tmp_path):
    options = {"hidden": "4", "activation": "relu", "loss": "cross-entropy", "batch_size": 30, "epochs": 1}
    model = nn.fit(*table_of(1, ["Rome", "Oslo"]), **options).classifier
    model.save(tmp_path / "model.npz")
    columns, labels = table_of(2, ["Oslo", "Rome", "Paris"])  # Paris is new to the model
    train = write_table(tmp_path / "train.csv", columns, labels, ["more", "city", "bought", "time", "age"])
    test = write_table(tmp_path / "test.csv", columns, labels, ["time", "age", "bought", "city"])
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", value)]
    words += ["--label-column", "bought", "--partitions", "1", "--start-from", tmp_path / "model.npz"]
    job(spark, train, "-", test, "-", tmp_path / "out", *words)
    trained, fitted = (
        nn.load(tmp_path / "out" / "model.npz"),
        nn.fit(columns, labels, **options, start_from=model),
    )
    assert trained.model == model.model and trained.class_names == ("no", "yes")
    for one, other in zip(trained.params, fitted.classifier.params, strict=True):
        assert all(np.allclose(one[name], other[name], atol=1e-6) for name in one)


def test_check_reads_the_columns_of_the_model(spark, tmp_path, capsys):
    inputs, labels = blobs(60, width=3)
    names = ["a", "b", "c"]
    table = dict(zip(names, inputs.T.astype(float), strict=True))
    nn.fit(table, labels, hidden="4", epochs=1).classifier.save(tmp_path / "model.npz")
    mixed = np.column_stack([inputs[:, 2], labels, inputs[:, 0], labels, inputs[:, 1]])
    rows = "".join(",".join(map(str, row)) + "\n" for row in mixed.tolist())
    (tmp_path / "x.csv").write_text("c,label,a,more,b\n" + rows)
    paths = [tmp_path / "x.csv", "-", tmp_path / "x.csv", "-", tmp_path / "out"]
    words = ["--label-column", "label", "--hidden", "4", "--start-from", tmp_path / "model.npz", "--check"]
    options = parser.parse(list(map(str, [*paths, *words])))
    storage = Storage(spark)

    def check(options):
        checking.run(spark, storage, Output(storage.folder(options.output)), Start(options, None, False))

    check(options)
    assert "checked   no problem was found" in capsys.readouterr().out
    with pytest.raises(UsageError, match="layer 1: expected dense:4 as in the trained model, found dense:5"):
        check(options.with_recipe(dataclasses.replace(options.recipe, hidden=(5,))))
