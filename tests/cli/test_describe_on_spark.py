"""--describe and --check of tables and of text, read with Spark."""

import datetime

import numpy as np
import pytest

from nn.cli import check, describe, parser
from nn.cli.resume import Start
from nn.cli.run import read
from nn.core.errors import DataError
from nn.datasets.customers import write_table
from nn.spark.storage.filesystem import Storage
from nn.spark.storage.run_directory import Output
from tests.support.data import blobs, write_csv

pytestmark = pytest.mark.spark


@pytest.fixture
def described(spark, capsys):
    """A function (words) -> (the lines above the table, its lines by column, the lines below it)."""

    def run(*words):
        describe.run(spark, Storage(spark), parser.parse([*map(str, words), "--describe"]))
        above, table, below = capsys.readouterr().out.strip().split("\n\n")
        rows = {line.split("  ")[0]: " ".join(line.split()) for line in table.splitlines()[1:]}
        return above.splitlines(), rows, below.splitlines()

    return run


@pytest.fixture
def customers(tmp_path):
    write_table(str(tmp_path), 500, 0)
    return tmp_path / "customers.csv"


def test_a_table_with_quotes_texts_and_missing_values(described, customers):
    above, rows, below = described(customers, "--label-column", "bought", "--drop-columns", "spent")
    assert above[0].startswith("note ") and "read with Spark's reader of CSV" in above[0]
    assert "(csv): 500 rows of 9 columns" in above[1] and "2 classes: no " in above[2]
    assert rows["id"] == (
        "id number 1001 1250.5 1500 0 500 standardized; looks like an index: it counts the rows (1001, 1002, 1003, ...)"
    )
    assert "refused" in rows["age"] and "missing values, unless --missing" in rows["age"]
    assert rows["city"].endswith("0 6 one-hot into 7 inputs: 6 values, one for other values")
    assert "it names the rows, or is free text" in rows["since"] and "looks like dates" in rows["since"]
    assert rows["bought"].endswith("the classes") and rows["spent"].endswith("left out")
    assert below[0].startswith("missing ") and below[1].startswith("advice    --drop-columns id,since ")


def test_the_columns_are_encoded_as_training_encodes_them(spark, customers):
    words = [
        "--label-column",
        "bought",
        "--drop-columns",
        "since",
        "--missing",
        "indicator",
        "--max-categories",
        "4",
    ]
    paths = [str(customers), "-", "-", "-", "out", "--test-fraction", "0", "--format", "csv"]
    options = parser.parse([*paths, *words]).for_cluster(2)
    trained = read(spark, Storage(spark), options).training.model.encoder.columns
    _, preprocessing = describe.read(spark, Storage(spark), options)
    told = preprocessing.encoder.columns
    assert [(type(c), c.name, c.width) for c in told] == [(type(c), c.name, c.width) for c in trained]
    for ours, theirs in zip(told, trained, strict=True):
        for name in ("offset", "center", "scale"):
            assert getattr(ours, name, 0) == pytest.approx(getattr(theirs, name, 0), rel=1e-5)


def test_nothing_need_be_known_of_a_table(described, customers):
    above, rows, _ = described(customers, "--format", "csv")
    assert above[-1].startswith("label     none is named: --label-column NAME") and len(rows) == 9


@pytest.mark.parametrize("partitions", [1, 3])
def test_text_of_numbers_with_labels_of_their_own(described, tmp_path, partitions):
    inputs, labels = blobs(400, width=5)
    table = np.column_stack([np.arange(1, 401), inputs, labels * 10])
    write_csv(tmp_path / "x.csv", table)
    write_csv(tmp_path / "y.csv", labels)
    above, rows, _ = described(tmp_path / "x.csv", tmp_path / "y.csv", "--partitions", partitions)
    assert "(text): 400 rows of 7 columns, 7 inputs" in above[0] and "3 classes: 0 " in above[1]
    assert "index: it counts the rows (1, 2, 3, ...)" in rows["0"]
    assert rows["6"].endswith("3 standardized; a copy of the label")
    values = inputs[:, 2]
    low, high, distinct = values.min(), values.max(), len(np.unique(values))
    assert rows["3"] == f"3 number {low} {values.mean():.6g} {high} 0 {distinct} standardized"


def test_parquet_with_columns_that_training_refuses(described, spark, tmp_path):
    from pyspark.sql import SparkSession

    rows = [
        (
            row,
            datetime.date(2020, 1, 1 + row % 28),
            [float(row % 3), 2.0],
            bytes([row, 3]),
            None,
            "ab"[row % 2],
        )
        for row in range(60)
    ]
    schema = "id long, day date, at array<double>, raw binary, empty double, kind string"
    SparkSession.builder.getOrCreate().createDataFrame(rows, schema).write.parquet(
        str(tmp_path / "t.parquet")
    )
    above, told, below = described(tmp_path / "t.parquet", "--label-column", "kind", "--missing", "mean")
    assert "2 classes: a 30, b 30" in above[-1]
    assert "refused: expected numbers or strings, found date" in told["day"] and " 0 28 " in told["day"]
    assert told["at[0]"].startswith("at[0] number 0 1 2 0 3") and "constant: becomes 0" in told["at[1]"]
    assert told["raw[0]"].startswith("raw[0] pixels 0 29.5 59") and "has no values" in told["empty"]
    assert "advice    --drop-columns id,day leaves" in below[1]


def test_lines_that_are_no_rows_end_it_as_they_end_training(described, tmp_path):
    (tmp_path / "t.csv").write_text("1,2\n" * 50 + "1,2,3\n")
    with pytest.raises(DataError, match="t.csv, line 51: expected 2 values"):
        described(tmp_path / "t.csv")


# ---- --check ----


@pytest.fixture
def checked(spark, tmp_path, capsys):
    """A function (words) -> the lines that --check prints."""

    def run(*words):
        options = parser.parse([*map(str, words), str(tmp_path / "out"), "--check"])
        storage = Storage(spark)
        try:
            check.run(spark, storage, Output(storage.folder(options.output)), Start(options, None, False))
        finally:
            run.lines = capsys.readouterr().out.splitlines()
        return run.lines

    return run


def test_check_reads_tables_and_tells_the_classes(checked, customers):
    words = ["--label-column", "bought", "--drop-columns", "since,spent", "--missing", "indicator"]
    lines = checked(customers, "-", customers, "-", *words)
    assert lines[0].startswith("executor ") and lines[1].startswith("driver ")
    starts = [line.split()[0] for line in lines[2:]]
    expected = "note data data memory output data label column advice checked"
    assert " ".join(starts) == expected
    assert "label     column 'bought': classification, 2 classes: no " in "\n".join(lines)
    assert any(line.startswith("column    id: ") and "looks like an index" in line for line in lines)


def test_check_tells_the_range_of_a_target(checked, customers):
    words = [
        "--label-column",
        "spent",
        "--drop-columns",
        "bought,since",
        "--task",
        "regression",
        "--missing",
        "mean",
    ]
    lines = checked(customers, "-", "-", "-", "--test-fraction", "0.2", *words)
    assert any(line.startswith("label     column 'spent': regression, target from ") for line in lines)
    assert not any("classes" in line for line in lines) and lines[-1].startswith("checked ")


def test_check_tells_all_that_would_end_training(checked, customers):
    with pytest.raises(DataError, match="--check: TRAIN_IMAGES: column 'since': it names the rows"):
        checked(customers, "-", "-", "-", "--test-fraction", "0.2", "--label-column", "spent")
    problems = [line for line in checked.lines if line.startswith("problem ")]
    assert (
        len(problems) == 2
        and "missing values in column 'age'" in problems[0]
        and "--task regression" in problems[1]
    )


def test_check_reads_a_text_again_whose_missing_value_is_far_from_its_ends(checked, tmp_path):
    (tmp_path / "t.csv").write_text("1,2\n2,1\n" * 3000 + "1,\n" + "1,2\n2,1\n" * 3000)
    words = [tmp_path / "t.csv", "-", "-", "-", "--test-fraction", "0", "--label-column", "0"]
    with pytest.raises(DataError, match=r"missing values in column '1' \(1\); --missing"):
        checked(*words)
    assert checked(*words, "--missing", "mean")[-1].startswith("checked ")


def test_lines_of_another_width_are_counted(described, checked, tmp_path):
    (tmp_path / "t.csv").write_text("a,b\n" + "x,1\ny,2\n" * 20 + "x,1,2\ny\n")
    _, _, below = described(tmp_path / "t.csv", "--format", "csv")
    assert "lines     2 lines without a row of 2 cells; training refuses them" in below
    with pytest.raises(DataError, match="2 lines without a row of 2 cells"):
        checked(
            tmp_path / "t.csv",
            "-",
            "-",
            "-",
            "--test-fraction",
            "0",
            "--label-column",
            "a",
            "--missing",
            "mean",
        )


def test_numbers_with_decimal_commas_are_refused(described, checked, tmp_path):
    (tmp_path / "t.csv").write_text("length;kind\n" + "4,5;a\n2,25;b\n7;b\n" * 9)
    _, rows, _ = described(tmp_path / "t.csv", "--label-column", "kind")
    assert "refused: expected numbers with a decimal point and no other marks, found '4,5'" in rows["length"]
    words = [tmp_path / "t.csv", "-", "-", "-", "--test-fraction", "0", "--label-column", "kind"]
    with pytest.raises(
        DataError, match="TRAIN_IMAGES: .*t.csv: column 'length': expected numbers with a dec"
    ):
        checked(*words)
    assert checked(*words, "--categorical", "length")[-1].startswith("checked ")
