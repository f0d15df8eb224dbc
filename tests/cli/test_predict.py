"""predict_task.py on Spark: the same predictions as the model in Python, in the order of the rows, for every source."""

import csv
import json

import numpy as np
import pytest

import nn
from nn.cli import predict
from nn.cli.predict_options import parse
from nn.core.errors import DataError, UsageError
from nn.spark.input import table_reading
from nn.spark.storage.filesystem import Storage

pytestmark = pytest.mark.spark

ROWS = 400


@pytest.fixture(scope="module")
def table():
    """The columns of a table with an id, numbers with gaps, texts and labels."""
    rng = np.random.default_rng(5)
    age = rng.integers(18, 80, ROWS).astype(object)
    age[::37] = None
    city = rng.choice(np.array(["Rome", "Washington, DC", 'the "Hague"'], object), ROWS)
    income = rng.lognormal(10, 0.4, ROWS).round()
    bought = np.where(income > 22_000, "yes", "no").astype(object)
    ids = np.array([f"{number:05d}" for number in range(ROWS)], object)
    return {"id": ids, "age": age, "income": income, "city": city, "bought": bought}


def inputs_of(table):
    return {name: table[name] for name in ("age", "income", "city")}


@pytest.fixture(scope="module")
def model(table, tmp_path_factory):
    """The path of a trained model and the classifier in it."""
    fit = nn.fit(inputs_of(table), table["bought"], hidden=8, epochs=30, missing="mean", optimizer="adam")
    path = tmp_path_factory.mktemp("model") / "model.npz"
    fit.classifier.save(path)
    return path, fit.classifier


@pytest.fixture
def written(table, tmp_path):
    path = tmp_path / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


@pytest.fixture(params=["pickled", "arrow"])
def way(request, monkeypatch):
    if request.param == "arrow":
        pytest.importorskip("pyarrow")
    monkeypatch.setattr(table_reading, "has_arrow", lambda context: request.param == "arrow")


def predicted(spark, *words):
    """Run predict_task.py; return the rows of the predictions in the order of the files."""
    options = parse([str(word) for word in words])
    predict.run(spark, Storage(spark), options)
    folder = f"{options.output}/predictions"
    return read_rows(folder)


def read_rows(folder):
    from pathlib import Path

    rows = []
    names = sorted(path.name for path in Path(folder).iterdir() if not path.name.startswith("."))
    assert names[0] == "_SUCCESS" and all(name.startswith("part-") for name in names[1:])
    for name in names[1:]:
        with (Path(folder) / name).open(newline="") as file:
            rows += csv.DictReader(file) if name.endswith(".csv") else map(json.loads, file)
    return rows


def test_a_table_is_predicted_as_in_python_with_ids_and_columns_carried_along(
    spark, table, model, written, tmp_path, way
):
    path, classifier = model
    words = (
        path,
        written,
        tmp_path / "out",
        "--id-column",
        "id",
        "--keep",
        "city,age",
        "--probabilities",
        "--top",
        1,
    )
    rows = predicted(spark, *words, "--partitions", 3)
    assert list(rows[0]) == [
        "id", "age", "city", "prediction", "probability_no", "probability_yes", "top1", "top1_probability",
    ]  # fmt: skip
    assert [row["id"] for row in rows] == table["id"].tolist()
    assert [row["city"] for row in rows] == table["city"].tolist()
    assert [row["age"] for row in rows] == ["" if age is None else str(age) for age in table["age"]]
    assert [row["prediction"] for row in rows] == classifier.predict(inputs_of(table)).tolist()
    found = np.array([[row["probability_no"], row["probability_yes"]] for row in rows], float)
    np.testing.assert_allclose(found, classifier.predict_proba(inputs_of(table)), atol=1e-6)
    assert (tmp_path / "out" / "_SUCCESS").exists()
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["test"] is None


def test_scores_are_those_of_the_labels(spark, table, model, written, tmp_path, capsys):
    path, classifier = model
    predicted(spark, path, written, tmp_path / "out", "--label-column", "bought")
    right = np.mean(classifier.predict(inputs_of(table)) == table["bought"])
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["test"]["accuracy"] == pytest.approx(right)
    assert summary["test"]["rows"] == ROWS and summary["data"]["rows"] == ROWS
    assert (tmp_path / "out" / "confusion_matrix.csv").read_text().startswith("truth\\prediction,no,yes\n")
    assert f"accuracy {right:.2%}" in capsys.readouterr().out


def test_the_pictures_of_scores_are_drawn_without_notes_on_training(
    spark, table, model, written, tmp_path, capsys
):
    import generate_plots

    path, _ = model
    predicted(spark, path, written, tmp_path / "out", "--label-column", "bought")
    capsys.readouterr()
    assert generate_plots.main([str(tmp_path / "out")]) == 0
    printed = capsys.readouterr()
    names = [line.rpartition("/")[2] for line in printed.out.splitlines()]
    assert names == ["confusion_matrix.png", "class_metrics.png"]
    assert printed.err.splitlines() == [
        "generate_plots.py: samples.png left out: the inputs are columns of a table, not images"
    ]


@pytest.mark.parametrize("output_format", ["json", "parquet"])
def test_parquet_is_read_by_names_in_any_order_and_written_with_types(
    spark, table, model, tmp_path, output_format, way
):
    from pyspark.sql import SparkSession

    session = SparkSession.builder.getOrCreate()
    names = ("city", "income", "id", "age")
    values = [
        tuple(v.item() if hasattr(v, "item") else v for v in row)
        for row in zip(*(table[n] for n in names), strict=True)
    ]
    frame = session.createDataFrame(values, "city string, income double, id string, age int").repartition(3)
    frame.write.parquet(str(tmp_path / "rows"))
    ids = [row["id"] for row in session.read.parquet(str(tmp_path / "rows")).collect()]
    path, classifier = model
    words = (path, tmp_path / "rows", tmp_path / "out", "--id-column", "id", "--keep", "income")
    options = parse([*map(str, words), "--output-format", output_format, "--partitions", "5"])
    predict.run(spark, Storage(spark), options)
    found = session.read.format(output_format).load(f"{tmp_path}/out/predictions")
    assert dict(found.dtypes) == {"id": "string", "income": "double", "prediction": "string"}
    expected = dict(zip(table["id"], classifier.predict(inputs_of(table)), strict=True))
    assert {row["id"]: row["prediction"] for row in found.collect()} == expected
    assert len(ids) == found.count() == ROWS


def test_rows_of_numeric_text_are_numbered_and_labels_may_stand_in_a_file(spark, tmp_path, rng):
    inputs = rng.integers(0, 256, (90, 6))
    labels = (inputs[:, 0] > 128).astype(int)
    classifier = nn.fit(inputs, labels, hidden=4, epochs=5).classifier
    classifier.save(tmp_path / "model.npz")
    np.savetxt(tmp_path / "x.csv", inputs, fmt="%d", delimiter=",")
    np.savetxt(tmp_path / "y.csv", labels, fmt="%d")
    rows = predicted(
        spark, tmp_path / "model.npz", tmp_path / "x.csv", tmp_path / "out", "--labels", tmp_path / "y.csv"
    )
    assert [int(row["row"]) for row in rows] == list(range(90))
    assert [int(row["prediction"]) for row in rows] == classifier.predict(inputs).tolist()
    right = np.mean(classifier.predict(inputs) == labels)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["test"]["accuracy"] == pytest.approx(
        right
    )


def test_files_are_predicted_in_their_order_whatever_their_sizes(spark, tmp_path, rng):
    inputs = rng.integers(0, 99, (600, 3))
    classifier = nn.fit(inputs, inputs[:, 0] % 2, hidden=4, epochs=2).classifier
    classifier.save(tmp_path / "model.npz")
    folder = tmp_path / "rows"
    folder.mkdir()
    for name, part in (("a", inputs[:20]), ("b", inputs[20:560]), ("c", inputs[560:])):
        lines = "".join(f'"{x}",{y},{z}\n' for x, y, z in part)
        (folder / f"{name}.csv").write_text(f"0,1,2\n{lines}")
    rows = predicted(
        spark, tmp_path / "model.npz", folder, tmp_path / "out", "--keep", "*", "--partitions", 4
    )
    assert [[int(row[name]) for name in "012"] for row in rows] == inputs.tolist()
    assert [int(row["prediction"]) for row in rows] == classifier.predict(inputs).tolist()


def test_a_regression_predicts_values_and_has_its_scores(spark, tmp_path, rng):
    inputs = rng.normal(size=(80, 3))
    targets = 1000 + 50 * inputs[:, 0]
    regressor = nn.fit(
        {"a": inputs[:, 0], "b": inputs[:, 1], "c": inputs[:, 2]}, targets, task="regression", epochs=20
    ).classifier
    regressor.save(tmp_path / "model.npz")
    np.savetxt(
        tmp_path / "x.csv",
        np.column_stack([targets, inputs[:, ::-1]]),
        delimiter=",",
        header="y,c,b,a",
        comments="",
    )
    rows = predicted(
        spark, tmp_path / "model.npz", tmp_path / "x.csv", tmp_path / "out", "--label-column", "y"
    )
    found = np.array([row["prediction"] for row in rows], float)
    np.testing.assert_allclose(
        found, regressor.predict({"a": inputs[:, 0], "b": inputs[:, 1], "c": inputs[:, 2]}), rtol=1e-6
    )
    test = json.loads((tmp_path / "out" / "summary.json").read_text())["test"]
    assert test["rmse"] == pytest.approx(np.sqrt(np.mean((found - targets) ** 2)))


def test_bad_rows_are_refused_with_their_number_or_get_empty_predictions(
    spark, table, model, tmp_path, capsys
):
    path, classifier = model
    rows = tmp_path / "rows.csv"
    rows.write_text("age,income,city\n30,20000,Rome\nold,20000,Rome\n40,x,Paris\n50,30000,\n")
    words = (path, rows, tmp_path / "out")
    with pytest.raises(
        DataError, match=r"INPUT: .*expected numbers .* column 'age' \(1\), column 'income' \(1\)"
    ):
        predicted(spark, *words)
    assert not (tmp_path / "out").exists()
    found = predicted(spark, *words, "--bad-rows", "null", "--probabilities")
    good = {"age": [30, 50], "income": [20_000, 30_000], "city": ["Rome", None]}
    expected = classifier.predict(good).tolist()
    assert [row["prediction"] for row in found] == [expected[0], "", "", expected[1]]
    assert [row["probability_no"] == "" for row in found] == [False, True, True, False]
    assert "2 rows could not be predicted" in capsys.readouterr().out


def test_categories_that_are_an_error_are_counted_with_an_example(spark, tmp_path):
    columns = {"x": np.arange(40.0), "c": np.array(["a", "b"] * 20, object)}
    classifier = nn.fit(columns, np.arange(40) % 2, hidden=3, epochs=2, unknown="error").classifier
    classifier.save(tmp_path / "model.npz")
    rows = tmp_path / "rows.csv"
    rows.write_text("x,c\n1,a\n2,z\n3,b\n4,z\n")
    words = (tmp_path / "model.npz", rows, tmp_path / "out")
    message = r"INPUT: .*column 'c': .* found others in 2 rows, such as 'z'; --bad-rows null leaves"
    with pytest.raises(DataError, match=message):
        predicted(spark, *words)
    found = [row["prediction"] for row in predicted(spark, *words, "--bad-rows", "null")]
    expected = classifier.predict({"x": [1, 3], "c": ["a", "b"]}).tolist()
    assert found == [str(expected[0]), "", str(expected[1]), ""]


@pytest.mark.parametrize(
    ("header", "words", "message"),
    [
        (
            "age,city",
            [],
            r"INPUT: .*expected the columns of the model, found none called 'income'; it has 'age', 'city'",
        ),
        (
            "age,income,city",
            ["--label-column", "bought"],
            "--label-column: expected a column of .*, found 'bought'",
        ),
        ("age,income,city,prediction", ["--keep", "prediction"], "has the name of a column of predictions"),
    ],
)
def test_columns_that_do_not_fit_are_one_line(spark, model, tmp_path, header, words, message):
    path, _ = model
    rows = tmp_path / "rows.csv"
    rows.write_text(f"{header}\n{','.join('3' for _ in header.split(','))}\n")
    with pytest.raises(DataError, match=message):
        predicted(spark, path, rows, tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


def test_rows_of_another_width_are_told_with_the_columns_of_the_model(spark, model, tmp_path):
    path, _ = model
    rows = tmp_path / "rows.csv"
    rows.write_text("3,4,5,6\n")
    with pytest.raises(
        DataError, match=r"expected 3 input values a row, as the model takes \('age', .*found 4"
    ):
        predicted(spark, path, rows, tmp_path / "out")


def test_output_is_not_replaced_without_the_flag_nor_that_of_others(spark, model, written, tmp_path):
    path, _ = model
    out = tmp_path / "out"
    first = predicted(spark, path, written, out, "--label-column", "bought")
    with pytest.raises(UsageError, match="--overwrite replaces what predict_task.py wrote"):
        predicted(spark, path, written, out)
    again = predicted(spark, path, written, out, "--overwrite")
    assert [row["prediction"] for row in first] == [row["prediction"] for row in again]
    assert not (out / "confusion_matrix.csv").exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="expected a folder that predict_task.py wrote"):
        predicted(spark, path, written, other, "--overwrite")
    (out / "predictions" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"found mine\.txt"):
        predicted(spark, path, written, out, "--overwrite")


@pytest.mark.parametrize("content", [b"", b"rubbish", b"PK\x03\x04"])
def test_a_file_that_is_no_model_is_one_line(spark, written, tmp_path, content):
    bad = tmp_path / "model.npz"
    bad.write_bytes(content)
    with pytest.raises(DataError, match=r"MODEL: .*model\.npz: cannot be read as a model"):
        predicted(spark, bad, written, tmp_path / "out")
    with pytest.raises(DataError, match="MODEL: no such file"):
        predicted(spark, tmp_path / "none.npz", written, tmp_path / "out")
