"""Folders named key=value: a column of the table, which comes after those of the files."""

import pytest

from nn.core.errors import DataError
from nn.spark.input import reader
from nn.spark.input.input_files import Source
from nn.spark.storage.filesystem import Storage

pytestmark = pytest.mark.spark


def write_csv(session, path):
    for day in (0, 1):
        (path / f"day={day}").mkdir(parents=True)
        rows = "".join(f"{row * 7 % 20},{row},{row % 3}\n" for row in range(20 * day, 20 * day + 20))
        (path / f"day={day}" / "part-00000.csv").write_text(rows)


def write_parquet(session, path):
    rows = [(float(row * 7 % 20), float(row), row % 3, row // 20) for row in range(40)]
    frame = session.createDataFrame(rows, "a double, b double, kind int, day int")
    frame.write.partitionBy("day").parquet(str(path))


@pytest.fixture(params=[write_csv, write_parquet])
def days(request, spark, tmp_path):
    from pyspark.sql import SparkSession

    request.param(SparkSession.builder.getOrCreate(), tmp_path / "days")
    return tmp_path / "days"


def read(spark, path, label, test=None):
    train = Source("TRAIN", str(path), None, label_column=label)
    found = train._replace(name="TEST", images=str(test or path))
    return reader.read_both(spark, Storage(spark), train, found, 2)


def notes_of(dataset):
    return [note for note in dataset.notes if "folders" in note]


def test_the_number_of_a_column_of_folders_is_noted_where_it_gives_the_labels(spark, days):
    train, _ = read(spark, days, -1)
    assert train.facts.classes == 2 and train.width == 3
    assert notes_of(train)[0].startswith("TRAIN_IMAGES: column -1 is 'day', the names of the folders day=...")


@pytest.mark.parametrize("label", [2, "day"])
def test_the_number_of_a_column_of_files_and_names_are_taken_without_a_note(spark, days, label):
    if label == "day" and any(days.rglob("*.csv")):
        pytest.skip("columns without a header have no names")
    train, _ = read(spark, days, label)
    assert train.facts.classes == (3 if label == 2 else 2) and not notes_of(train)


def test_a_test_set_without_the_column_of_folders_is_told_with_its_columns(spark, days):
    if not any(days.rglob("*.csv")):
        pytest.skip("columns with names are found by them")
    message = (
        "TEST_IMAGES: expected 3 input columns as in TRAIN_IMAGES, found 2 in .*day=0: it has 3 columns, of which "
        "column 2 was taken for the labels; it lacks the column 'day', which TRAIN_IMAGES takes from its folders "
        "day=...: --read-option basePath=.* adds it, .* reads TRAIN_IMAGES without it"
    )
    with pytest.raises(DataError, match=message):
        read(spark, days, -1, days / "day=0")
