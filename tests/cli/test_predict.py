"""predict_task.py on Spark: the same predictions as the model in Python, in the order of the rows, for every source."""

import csv
import dataclasses
import json

import numpy as np
import pytest

import nn
from nn.cli import predict, predict_check
from nn.cli.predict_options import parse
from nn.core import npz
from nn.core.errors import DataError, PlatformError, UsageError
from nn.spark import scoring
from nn.spark.input import table_reading
from nn.spark.storage.filesystem import Storage
from tests.support.result_files import holds_no_results

pytestmark = pytest.mark.spark

ROWS = 400


@pytest.fixture(scope="module")
def table():
    """The columns of a table with an id, numbers with missing values, strings and labels."""
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
    monkeypatch.setattr(scoring, "MANY", 1)


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


def test_files_are_predicted_once_and_in_their_order_whatever_their_sizes(
    spark, tmp_path, rng, way, monkeypatch
):
    blocks = []

    def add(self, counts, more):
        blocks.extend(more)
        return {**counts, **more}

    monkeypatch.setattr(scoring.Counts, "addInPlace", add)
    inputs = rng.integers(0, 99, (600, 3))
    classifier = nn.fit(inputs, inputs[:, 0] % 2, hidden=4, epochs=2).classifier
    classifier.save(tmp_path / "model.npz")
    folder = tmp_path / "rows"
    folder.mkdir()
    for name, part in (("a", inputs[:20]), ("b", inputs[20:560]), ("c", inputs[560:])):
        lines = "".join(f'"{x}",{y},{z}\n' for x, y, z in part)
        (folder / f"{name}.csv").write_text(f"0,1,2\n{lines}7,,7\n")
    options = ("--keep", "*", "--partitions", 4, "--bad-rows", "null")
    rows = predicted(spark, tmp_path / "model.npz", folder, tmp_path / "out", *options)
    expected = [*inputs[:20].tolist(), None, *inputs[20:560].tolist(), None, *inputs[560:].tolist(), None]
    found = [None if row["1"] == "" else [int(row[name]) for name in "012"] for row in rows]
    assert found == expected
    answers = [int(row["prediction"]) for row in rows if row["1"]]
    assert answers == classifier.predict(inputs).tolist()
    assert {row["prediction"] for row in rows if not row["1"]} == {""}
    assert len(blocks) == len(set(blocks)) == 3  # those with a row without a prediction


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
    assert holds_no_results(tmp_path / "out")
    found = predicted(spark, *words, "--bad-rows", "null", "--probabilities")
    good = {"age": [30, 50], "income": [20_000, 30_000], "city": ["Rome", None]}
    expected = classifier.predict(good).tolist()
    assert [row["prediction"] for row in found] == [expected[0], "", "", expected[1]]
    assert [row["probability_no"] == "" for row in found] == [False, True, True, False]
    assert "2 rows could not be predicted" in capsys.readouterr().out


def test_missing_values_are_refused_only_in_columns_that_the_model_does_not_fill(spark, tmp_path):
    table = {"a": [1.0, 2, 3, 4, 5, 6], "city": ["x", "y", "x", "y", "x", "y"]}
    classifier = nn.fit(table, [0, 1, 0, 1, 0, 1], hidden=3, epochs=2, missing="mean").classifier
    encoder = classifier.model.encoder
    columns = (encoder.columns[0], dataclasses.replace(encoder.columns[1], fill=False))
    model = dataclasses.replace(classifier.model, encoder=dataclasses.replace(encoder, columns=columns))
    path = tmp_path / "model.npz"
    dataclasses.replace(classifier, model=model).save(path)
    rows = tmp_path / "rows.csv"
    rows.write_text("a,city\n,x\n2,y\n")
    found = predicted(spark, path, rows, tmp_path / "filled")
    assert [int(row["prediction"]) for row in found] == classifier.predict(
        {"a": [None, 2], "city": ["x", "y"]}
    ).tolist()
    rows.write_text("a,city\n,x\n2,\n")
    with pytest.raises(
        DataError,
        match=r"missing values in column 'city' \(1\), which the model does not fill; --bad-rows null",
    ):
        predicted(spark, path, rows, tmp_path / "refused")
    kept = predicted(spark, path, rows, tmp_path / "kept", "--bad-rows", "null")
    assert [row["prediction"] == "" for row in kept] == [False, True]


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
    assert holds_no_results(tmp_path / "out")


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


def saved(tmp_path, fit, name="model.npz"):
    fit.classifier.save(tmp_path / name)
    return tmp_path / name, fit.classifier


def text_of(folder):
    """The lines of a folder of CSV, without headers."""
    files = sorted(path for path in folder.iterdir() if path.name.startswith("part-"))
    return [line for path in files for line in path.read_text().splitlines()[1:]]


@pytest.fixture
def images(tmp_path, rng):
    """The path of rows of pixels, and the rows."""
    inputs = rng.integers(0, 256, (2500, 16))
    np.savetxt(tmp_path / "images.csv", inputs, fmt="%d", delimiter=",")
    return tmp_path / "images.csv", inputs


def test_outputs_of_a_layer_are_written_as_in_python(spark, images, tmp_path, way):
    rows, inputs = images
    words = {"layers": "conv2d:2x2,relu,flatten,dense:5", "input_shape": (4, 4, 1), "epochs": 1}
    model, classifier = saved(tmp_path, nn.fit(inputs[:300], inputs[:300, 0] % 3, **words))
    found = predicted(spark, model, rows, tmp_path / "conv", "--layer", "conv2d:2x2", "--partitions", 2)
    assert list(found[0]) == ["row", *(f"layer1_{number}" for number in range(18))]
    outputs = np.array([list(row.values())[1:] for row in found], np.float32)
    np.testing.assert_allclose(outputs, classifier.layer_outputs(inputs, 1).reshape(2500, 18), atol=1e-6)
    from pyspark.sql import SparkSession

    options = [
        str(word) for word in (model, rows, tmp_path / "dense", "--layer", 4, "--output-format", "parquet")
    ]
    predict.run(spark, Storage(spark), parse(options))
    frame = SparkSession.builder.getOrCreate().read.parquet(f"{tmp_path}/dense/predictions")
    assert dict(frame.dtypes) == {"row": "bigint", **{f"layer4_{number}": "float" for number in range(5)}}
    outputs = np.array([tuple(row)[1:] for row in frame.orderBy("row").collect()], np.float32)
    np.testing.assert_allclose(outputs, classifier.layer_outputs(inputs, 4), atol=1e-6)


def test_rows_may_travel_in_either_way_and_in_any_partitions(spark, images, tmp_path, monkeypatch):
    rows, inputs = images
    model, classifier = saved(tmp_path, nn.fit(inputs, inputs[:, 0] % 3, hidden=7, epochs=2))
    monkeypatch.setattr(scoring, "MANY", 1)
    texts = {}
    for number, (partitions, arrow) in enumerate([(1, True), (1, False), (2, True), (2, False), (5, True)]):
        monkeypatch.setattr(table_reading, "has_arrow", lambda context, arrow=arrow: arrow)
        out = tmp_path / str(number)
        predict.run(
            spark,
            Storage(spark),
            parse([str(w) for w in (model, rows, out, "--probabilities", "--partitions", partitions)]),
        )
        texts[partitions, arrow] = text_of(out / "predictions")
    assert texts[1, True] == texts[1, False] and texts[2, True] == texts[2, False]  # blocks are cut alike
    for text in texts.values():
        values = np.array([line.split(",") for line in text], float)
        assert values[:, 0].tolist() == list(range(2500))
        assert values[:, 1].tolist() == classifier.predict(inputs).tolist()
        np.testing.assert_allclose(values[:, 2:], classifier.predict_proba(inputs), atol=1e-6)


def test_columns_of_any_type_are_carried_along(spark, model, tmp_path, way):
    from pyspark.sql import SparkSession

    session = SparkSession.builder.getOrCreate()
    path, classifier = model
    frame = session.range(5).selectExpr(
        "id as income", "cast(id as int) as age", "if(id = 3, null, 'Rome') as city", "date'2024-02-29' as day",
        "timestamp'2024-02-29 12:30:01.5' as time", "cast(1.25 as decimal(9, 2)) as price", "id > 2 as new",
        "array(id, null) as many", "cast(id as tinyint) as small", "cast(id as float) as real",
    )  # fmt: skip
    frame.coalesce(1).write.parquet(str(tmp_path / "rows"))
    for name, kept in (("all", "*"), ("simple", "income,age,city,day,new,small,real")):
        words = (path, tmp_path / "rows", tmp_path / name, "--keep", kept, "--output-format", "parquet")
        predict.run(spark, Storage(spark), parse([str(word) for word in words]))
        found = session.read.parquet(f"{tmp_path}/{name}/predictions")
        names = frame.columns if kept == "*" else kept.split(",")
        same = sorted(names, key=frame.columns.index)
        assert found.select(same).collect() == frame.select(same).collect()
        assert dict(found.drop("prediction").dtypes) == dict(frame.select(same).dtypes)


@pytest.mark.parametrize("output_format", ["csv", "json"])
def test_text_keeps_blanks_quotes_and_microseconds(spark, model, tmp_path, output_format):
    from pyspark.sql import SparkSession

    session = SparkSession.builder.getOrCreate()
    frame = session.range(2).selectExpr(
        "id as income", "id as age", "'Rome' as city", "' A \"1\" ' as name",
        "timestamp'2024-02-29 12:30:01.123456' as time", "timestamp_ntz'2024-02-29 12:30:01.000001' as local",
    )  # fmt: skip
    frame.coalesce(1).write.parquet(str(tmp_path / "rows"))
    words = (
        model[0],
        tmp_path / "rows",
        tmp_path / "out",
        "--keep",
        "name,time,local",
        "--output-format",
        output_format,
    )
    predict.run(spark, Storage(spark), parse([str(word) for word in words]))
    schema = "name string, time timestamp, local timestamp_ntz, prediction string"
    reader = session.read.schema(schema).format(output_format).options(header="true", escape='"')
    found = reader.load(f"{tmp_path}/out/predictions").select("name", "time", "local")
    assert found.collect() == frame.select("name", "time", "local").collect()


def test_outputs_that_are_not_finite_are_no_predictions(spark, tmp_path, capsys):
    rng = np.random.default_rng(0)
    model, _ = saved(
        tmp_path,
        nn.fit(rng.normal(size=(60, 2)), np.arange(60) % 2, layers="dense:4", loss="cross-entropy", epochs=1),
    )
    rows = tmp_path / "rows.csv"
    rows.write_text("1.5,2\n3e38,-3e38\n2.5,1\n")
    with pytest.raises(
        DataError, match="INPUT: .*: the model's outputs are not finite for 1 row, .*; --bad-rows null"
    ):
        predicted(spark, model, rows, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").rglob("*")}
    assert "_SUCCESS" not in names and "summary.json" not in names
    found = predicted(spark, model, rows, tmp_path / "out", "--overwrite", "--bad-rows", "null")
    assert [row["prediction"] == "" for row in found] == [False, True, False]
    assert "1 row could not be predicted" in capsys.readouterr().out


def test_classes_may_differ_in_case_alone_and_have_any_names(spark, tmp_path):
    names = np.array(["a", "A", "b,c", "New York; (x)"], object)
    fit = nn.fit(np.arange(80.0).reshape(40, 2), np.tile(names, 10), hidden=3, epochs=1)
    model, classifier = saved(tmp_path, fit)
    rows = tmp_path / "rows.csv"
    rows.write_text("1,2\n3,4\n")
    found = predicted(spark, model, rows, tmp_path / "out", "--probabilities")
    columns = [f"probability_{name}" for name in classifier.class_names]
    assert list(found[0]) == ["row", "prediction", *columns]
    assert [row["prediction"] for row in found] == classifier.predict([[1, 2], [3, 4]]).tolist()


def test_part_files_that_executors_keep_on_their_own_disks_are_missed(
    spark, model, written, tmp_path, monkeypatch
):
    write = predict.scoring.write

    def lose(frame, path, output_format):
        write(frame, path, output_format)
        part = sorted((tmp_path / "out" / "predictions").glob("part-*"))[-1]
        part.unlink()

    monkeypatch.setattr(predict.scoring, "write", lose)
    with pytest.raises(
        PlatformError, match="OUTPUT: expected 2 part files in .*, found 1: executors on other mach"
    ):
        predicted(spark, model[0], written, tmp_path / "out", "--partitions", 2)
    assert not list((tmp_path / "out").rglob("_SUCCESS"))


# ---- what is no model ----


def changed(path, **values):
    """The content of a model file with other values in its description."""
    arrays = npz.from_bytes(path.read_bytes())
    config = {**json.loads(str(arrays["config"])), **values}
    return npz.to_bytes({**arrays, "config": np.array(json.dumps(config))})


def test_a_file_that_is_no_model_is_one_line(spark, model, written, tmp_path):
    whole = model[0].read_bytes()
    middle = len(whole) // 2
    contents = {
        "": "cannot be read as a model",
        "rubbish": "cannot be read as a model",
        "PK\x03\x04": "cannot be read as a model",
        whole[: len(whole) // 2]: "cannot be read as a model",
        whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]: "cannot be read as a model",
        changed(model[0], format=9): "expected model format 1 or 2, found 9",
        changed(model[0], input_shape=[99]): "cannot be read as a model",
        changed(model[0], layers=[]): "cannot be read as a model",
        changed(model[0], labels=["yes"]): "cannot be read as a model",
    }
    bad = tmp_path / "model.npz"
    for content, message in contents.items():
        bad.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(DataError, match=rf"MODEL: .*model\.npz: .*{message}") as error:
            predicted(spark, bad, written, tmp_path / "out")
        assert "\n" not in str(error.value)
    for path, message in (
        ("none.npz", "no such file"),
        (".", "expected a model file, found a folder; a run's is .*/model.npz"),
    ):
        with pytest.raises(DataError, match=f"MODEL: .*{message}"):
            predicted(spark, tmp_path / path, written, tmp_path / "out")
    assert holds_no_results(tmp_path / "out")


@pytest.mark.parametrize("content", ["", "age,income,city\n", "\n\n"])
def test_input_without_rows_is_one_line(spark, model, tmp_path, content):
    rows = tmp_path / "rows.csv"
    rows.write_text(content)
    with pytest.raises(DataError, match="INPUT: .*rows"):
        predicted(spark, model[0], rows, tmp_path / "out")
    assert holds_no_results(tmp_path / "out")


# ---- --check ----


def checked(spark, capsys, *words):
    predict_check.run(spark, Storage(spark), parse([str(word) for word in (*words, "--check")]))
    return capsys.readouterr().out.splitlines()


def test_check_says_what_would_be_read_and_written_and_writes_nothing(
    spark, model, written, tmp_path, capsys
):
    words = (model[0], written, tmp_path / "out", "--id-column", "id", "--keep", "city")
    lines = checked(spark, capsys, *words)
    assert lines[0] == f"model     {model[0]} predicts the classes no, yes"
    firsts = [line.split()[0] for line in lines]
    assert firsts[firsts.index("takes") :] == [
        "takes",
        "executor",
        "driver",
        "data",
        "memory",
        "writes",
        "checked",
    ]
    assert "writes    " in lines[-2] and lines[-2].endswith(
        "predictions: csv with the columns id, city, prediction"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv"]


def test_check_tells_a_bad_line_and_columns_that_do_not_fit(spark, images, model, tmp_path, capsys):
    rows, inputs = images
    numbers, _ = saved(tmp_path, nn.fit(inputs, inputs[:, 0] % 3, hidden=7, epochs=1))
    assert checked(spark, capsys, numbers, rows, tmp_path / "out")[-1].startswith("checked")
    with rows.open("a") as file:
        file.write("1,2,3\n")
    with pytest.raises(DataError, match="--check: INPUT: .*images.csv, line .*expected 16 values .*found 3"):
        checked(spark, capsys, numbers, rows, tmp_path / "out")
    with pytest.raises(
        DataError, match=r"expected 3 input values a row, as the model takes \('age'.*found 16"
    ):
        checked(spark, capsys, model[0], rows, tmp_path / "out")
