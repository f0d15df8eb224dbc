"""Reading tables with Spark: columns, kinds and labels of every format, the same bits whatever way rows come."""

import csv as csv_module
import datetime
import importlib.util

import numpy as np
import pytest

from nn.core.errors import DataError, PlatformError
from nn.data import csv
from nn.data.columns import NAME
from nn.data.schema import pack_categories
from nn.data.tables import names_of
from nn.spark.input import reader, table_layout, table_reading, table_source
from nn.spark.input.input_files import Source
from nn.spark.input.reading_options import DEFAULTS, ReadingOptions
from nn.spark.input.shuffle import shuffled
from nn.spark.input.table_source import Table, TableFormat
from nn.spark.storage.filesystem import Storage
from tests.spark.runtime.test_errors import HTTP, JavaError

pytestmark = pytest.mark.spark

HAS_ARROW = importlib.util.find_spec("pyarrow") is not None
ROWS = 60


@pytest.fixture
def session(spark):
    from pyspark.sql import SparkSession

    return SparkSession.builder.getOrCreate()


@pytest.fixture(params=["pickled", "arrow"])
def way(request, monkeypatch):
    """Both ways of rows."""
    if request.param == "arrow" and not HAS_ARROW:
        pytest.skip("no pyarrow")
    monkeypatch.setattr(table_reading, "has_arrow", lambda context: request.param == "arrow")
    return request.param


def iris(rows=ROWS):
    """Rows (length, color, size, species) with two missing values in no column."""
    colors, species = ["red", "green", "blue"], ["setosa", "virginica", "versicolor"]
    return [
        (round(4 + 0.01 * row, 2), colors[row * 7 % 3], 70_000 + row, species[row % 3]) for row in range(rows)
    ]


NAMES = ("length", "color", "size", "species")


def write(path, rows, header=NAMES, **options):
    with open(path, "w", newline="") as file:
        writer = csv_module.writer(file, **options)
        writer.writerows([header, *rows] if header else rows)
    return str(path)


def read(spark, path, test=None, partitions=2, reading=None, **options):
    source = Source("TRAIN", str(path), None, **options) if isinstance(path, str) else path
    test = (
        source._replace(name="TEST", images=test or source.images) if not isinstance(test, Source) else test
    )
    return reader.read_both(spark, Storage(spark), source, test, partitions, reading or DEFAULTS)


def values_of(dataset):
    """(inputs, labels) in the order of the rows; checks the numbers of the rows."""
    blocks = sorted(dataset.blocks.collect(), key=lambda block: int(block.rows[0]))
    assert np.concatenate([block.rows for block in blocks]).tolist() == list(range(dataset.rows))
    return (
        np.concatenate([block.inputs.astype(np.float32) for block in blocks]),
        np.concatenate([block.labels for block in blocks]),
    )


def assert_is_iris(dataset, rows=ROWS):
    table = iris(rows)
    inputs, labels = values_of(dataset)
    assert [column.name for column in dataset.columns] == ["length", "color", "size"]
    assert dataset.columns[1].values == ("blue", "green", "red")
    assert dataset.decoder.labels == ("setosa", "versicolor", "virginica")
    assert np.allclose(inputs[:, 0], [row[0] for row in table])
    assert inputs[:, 1].tolist() == [("blue", "green", "red").index(row[1]) for row in table]
    assert np.allclose(inputs[:, 2] + dataset.columns[2].offset, [row[2] for row in table])
    assert labels.tolist() == [dataset.decoder.labels.index(row[3]) for row in table]
    assert dataset.labels.tolist() == labels.tolist() and dataset.width == 3


@pytest.mark.parametrize("label", ["species", -1, 3])
def test_csv_with_texts_is_read_by_names_with_a_note(spark, tmp_path, way, label):
    path = write(tmp_path / "iris.csv", iris())
    train, test = read(spark, path, label_column=label, reading=ReadingOptions(offsets=True))
    assert_is_iris(train)
    assert_is_iris(test)
    assert train.columns[2].offset == 70_000 and test.columns == train.columns
    assert "line 2: expected a number" in train.notes[0] and "Spark's reader of CSV" in train.notes[0]


@pytest.mark.parametrize("format", ["parquet", "orc", "json"])
def test_formats_are_known_by_their_first_bytes(spark, session, tmp_path, way, format):
    frame = session.createDataFrame(iris(), "length double, color string, size long, species string")
    frame.coalesce(1).write.format(format).save(str(tmp_path / "table"))
    train, test = read(
        spark, str(tmp_path / "table"), label_column="species", features=("length", "color", "size")
    )
    if format == "json":
        assert [column.name for column in train.columns] == ["color", "length", "size"]
    else:
        assert_is_iris(train)
        assert_is_iris(test)


@pytest.mark.parametrize("format", ["parquet", "orc", "json"])
def test_columns_that_differ_in_case_alone_are_columns(spark, session, tmp_path, way, format):
    session = session.newSession()
    session.conf.set("spark.sql.caseSensitive", "true")
    frame = session.range(60).selectExpr("id as X", "-id as x", "id % 2 as y")
    frame.coalesce(1).write.format(format).save(str(tmp_path / "t"))
    train, _ = read(spark, str(tmp_path / "t"), label_column="y", drop_columns=("x",))
    assert [column.name for column in train.columns] == ["X"]
    assert values_of(train)[0][:, 0].tolist() == list(range(60))


def test_files_may_spell_a_name_in_another_case(spark, session, tmp_path, way):
    (tmp_path / "t").mkdir()
    for part, name in enumerate(("Name", "name")):
        frame = session.range(10).selectExpr("id % 2 as y", f"id as {name}").coalesce(1)
        frame.write.parquet(str(tmp_path / name))
        next((tmp_path / name).glob("*.parquet")).rename(tmp_path / f"t/{part}.parquet")
    train, _ = read(spark, str(tmp_path / "t"), label_column="y")
    assert values_of(train)[0][:, 0].tolist() == [*range(10)] * 2


def test_numbers_of_columns_of_json_are_noted_with_the_names_that_spark_sorts(spark, tmp_path):
    lines = [f'{{"z": {row}, "b": {row % 3}, "a": {row % 2}}}\n' for row in range(40)]
    (tmp_path / "t.json").write_text("".join(lines))
    for label, noted in ((0, True), ("a", False)):
        train, _ = read(spark, str(tmp_path / "t.json"), label_column=label, drop_columns=("b",))
        assert [column.name for column in train.columns] == ["z"]
        assert any("sorts the columns of JSON by name: column 0 is 'a'" in n for n in train.notes) == noted


def test_rows_and_labels_of_files_of_any_names_go_together(spark, tmp_path, way):
    for name, value in (("x2.csv", 0), ("x[1].csv", 1), ("x%5B.csv", 0)):
        for folder, text in (("images", f"a,b\n{value},t\n{value},u\n"), ("labels", f"{value}\n{value}\n")):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / name).write_text(text)
    source = Source("TRAIN", str(tmp_path / "images"), str(tmp_path / "labels"))
    train, _ = read(spark, source)
    inputs, labels = values_of(train)
    assert inputs[:, 0].tolist() == labels.tolist() and train.rows == 6


def test_both_ways_give_the_same_bits(spark, session, tmp_path, monkeypatch):
    if not HAS_ARROW:
        pytest.skip("no pyarrow")
    rng = np.random.default_rng(0)
    rows = [
        (
            float(rng.normal() * 10.0 ** int(rng.integers(-5, 9))) if rng.random() > 0.1 else None,
            [float(value) for value in rng.normal(size=3)],
            bytes(rng.integers(0, 256, 5).tolist()),
            None if rng.random() < 0.1 else f"c{rng.integers(9)}",
            bool(rng.random() < 0.5),
            float(rng.random()),
            int(rng.integers(3)),
        )
        for _ in range(5000)
    ]
    schema = "a double, b array<double>, c binary, d string, e boolean, w double, y int"
    session.createDataFrame(rows, schema).repartition(3).write.parquet(str(tmp_path / "t"))
    found = []
    for arrow in (True, False):
        monkeypatch.setattr(table_reading, "has_arrow", lambda context, arrow=arrow: arrow)
        reading = ReadingOptions(missing="mean", offsets=True)
        train, _ = read(
            spark, str(tmp_path / "t"), partitions=3, reading=reading, label_column="y", weight_column="w"
        )
        found.append((train, train.blocks.collect()))
    (one, blocks), (other, others) = found
    assert one.fingerprint == other.fingerprint and one.columns == other.columns
    assert [column.name for column in one.columns][:5] == ["a", "b[0]", "b[1]", "b[2]", "c[0]"]
    assert len(blocks) == len(others) and sum(len(block.rows) for block in blocks) == 5000
    for block, another in zip(blocks, others, strict=True):
        assert block.inputs.dtype == another.inputs.dtype
        assert all(
            a.tobytes() == b.tobytes() and a.dtype == b.dtype
            for a, b in zip(block[:4], another[:4], strict=True)
        )


@pytest.mark.parametrize("type_name", ["tinyint", "int", "bigint", "float", "double", "boolean"])
def test_many_columns_of_one_type_give_the_same_bits_as_each_alone(
    spark, session, tmp_path, way, monkeypatch, type_name
):
    count = table_layout.LONG_RUN + 3
    size = 127 if type_name == "tinyint" else 70_000
    values = [
        f"cast(if(id % 11 = {index % 10 + 1}, null, ({size} + id * {index}) % {size + 1}) as {type_name}) as x{index}"
        for index in range(count)
    ]
    frame = session.range(0, 3_000, 1, 2).selectExpr("id % 3 as y", "concat('c', id % 4) as c", *values)
    frame.write.parquet(str(tmp_path / "t"))
    found = []
    for shortest in (table_layout.LONG_RUN, 1_000):
        monkeypatch.setattr(table_layout, "LONG_RUN", shortest)
        reading = ReadingOptions(missing="mean", offsets=True)
        train, _ = read(spark, str(tmp_path / "t"), reading=reading, label_column="y")
        found.append((train.fingerprint, *(values.tobytes() for values in values_of(train))))
        inputs, _ = values_of(train)
        assert np.isnan(inputs[:, 1:]).any(axis=0).all()
    assert found[0] == found[1]


def test_many_columns_of_quoted_numbers_are_read_as_each_alone(spark, tmp_path, way, monkeypatch):
    count = table_layout.LONG_RUN + 3
    cells = ["1e3", " 2 ", "", "NA", "-0.5", "70000"]
    rows = [[cells[(row + index) % 6] for index in range(count)] + [f"c{row % 2}"] for row in range(600)]
    path = write(
        tmp_path / "t.csv",
        rows,
        [f"x{index}" for index in range(count)] + ["y"],
        quoting=csv_module.QUOTE_ALL,
    )
    found = []
    for shortest in (table_layout.LONG_RUN, 1_000):
        monkeypatch.setattr(table_layout, "LONG_RUN", shortest)
        reading = ReadingOptions(missing="mean", offsets=True)
        train, _ = read(spark, path, reading=reading, label_column="y", format="csv")
        found.append((train.fingerprint, *(values.tobytes() for values in values_of(train))))
    assert found[0] == found[1]
    inputs, _ = values_of(train)
    assert np.isnan(inputs).sum() == 600 * count * 2 // 6
    bad = write(
        tmp_path / "bad.csv", [*rows, ["x"] * count + ["c0"]], [f"x{index}" for index in range(count)] + ["y"]
    )
    with pytest.raises(DataError, match=r"column 'x0' \(1\), column 'x1' \(1\).* such as 'x' in file:"):
        read(spark, bad, reading=reading, label_column="y", format="csv")


@pytest.mark.parametrize("format", ["auto", "csv"])
def test_a_test_set_with_other_column_order_and_labels_of_its_own_is_read_by_names(
    spark, tmp_path, way, format
):
    rows = [(row, row + 0.25, -row) for row in range(40)]
    train = Source(
        "TRAIN", write(tmp_path / "train.csv", rows, ("a", "b", "c")), str(tmp_path / "y"), format=format
    )
    other = write(tmp_path / "test.csv", [(c, a, b) for a, b, c in rows], ("c", "a", "b"))
    write(tmp_path / "y", [[row % 2] for row in range(40)], ("y",))
    train_set, test_set = read(spark, train, train._replace(name="TEST", images=other))
    assert values_of(train_set)[0].tolist() == values_of(test_set)[0].tolist() == [list(row) for row in rows]


def test_a_column_called_record_is_a_column(spark, session, tmp_path, way):
    frame = session.range(60).selectExpr("id % 2 as y", "cast(id as double) as record")
    for format in ("parquet", "json"):
        frame.coalesce(1).write.format(format).save(str(tmp_path / format))
        train, _ = read(spark, str(tmp_path / format), label_column="y")
        assert [column.name for column in train.columns] == ["record"] and train.rows == 60


def test_rows_are_numbered_by_file_and_place_whatever_the_partitions(spark, session, tmp_path, way):
    for part, rows in enumerate((3000, 50, 4000)):
        start = [0, 3000, 3050][part]
        session.range(start, start + rows, 1, 1).selectExpr(
            "id % 7 as y", "cast(id as double) as x"
        ).write.parquet(str(tmp_path / f"t/part={part}"))
    for partitions in (1, 2, 7):
        train, _ = read(
            spark, str(tmp_path / "t"), partitions=partitions, label_column="y", drop_columns=("part",)
        )
        inputs, labels = values_of(train)
        assert inputs[:, 0].tolist() == list(range(7050)) and labels.tolist() == [n % 7 for n in range(7050)]
        assert train.partitions <= max(partitions, 3)


def test_the_first_file_of_a_table_may_lack_what_others_have(spark, session, tmp_path, way):
    for part, rows in enumerate(("0 1:1 2:2\n1 1:3\n", "0 1:1 5:2\n1 1:3\n")):
        (tmp_path / "svm").mkdir(exist_ok=True)
        (tmp_path / f"svm/part-{part}").write_text(rows)
    train, _ = read(spark, str(tmp_path / "svm"), format="libsvm")
    assert values_of(train)[0].tolist() == [
        [1, 2, 0, 0, 0],
        [3, 0, 0, 0, 0],
        [1, 0, 0, 0, 2],
        [3, 0, 0, 0, 0],
    ]

    (tmp_path / "parquet").mkdir()
    for part, columns in enumerate((["id a"], ["id a", "id * 2 b"])):
        frame = session.range(4).selectExpr("id % 2 as y", *columns).coalesce(1)
        frame.write.parquet(str(tmp_path / f"of{part}"))
        next((tmp_path / f"of{part}").glob("*.parquet")).rename(tmp_path / f"parquet/{part}.parquet")
    reading = ReadingOptions(missing="zero")
    merged = {"label_column": "y", "read_options": ("mergeSchema=true",), "reading": reading}
    train, _ = read(spark, str(tmp_path / "parquet"), **merged)
    assert np.isnan(values_of(train)[0][:, 1]).tolist() == [True] * 4 + [False] * 4

    for format, text in (("csv", "x,y\n1,0\n2,1\n"), ("json", '{"x":1,"y":0}\n{"x":2,"y":1}\n')):
        for group in ("1", "b"):
            (tmp_path / f"{format}/group={group}").mkdir(parents=True)
            (tmp_path / f"{format}/group={group}/x.{format}").write_text(text)
        train, _ = read(spark, str(tmp_path / format), label_column="y")
        assert [column.values for column in train.columns] == [None, ("1", "b")]


def test_folders_named_key_value_give_a_column(spark, tmp_path, way):
    for label in range(3):
        (tmp_path / f"t/label={label}").mkdir(parents=True)
        write(tmp_path / f"t/label={label}/a.csv", [[label * 10 + row, row] for row in range(20)], ("a", "b"))
    train, _ = read(spark, str(tmp_path / "t"), label_column="label")
    inputs, labels = values_of(train)
    assert labels.tolist() == [0] * 20 + [1] * 20 + [2] * 20
    assert inputs[:, 0].tolist() == [label * 10 + row for label in range(3) for row in range(20)]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('"a","b","y"\n' + '"1","2","0"\n"3","4","1"\n' * 9, None),
        ('"","a","b","y"\n' + '"1",1,2,0\n"2",3,4,1\n' * 9, None),
        ('"a","b","y"\n' + '"r1",1,2,0\n"r1",3,4,1\n' * 9, None),  # R's header is one field short
        ("a,b,y\n" + "1,2,'0'\n3,4,'1'\n" * 9, None),
        ("# made by hand\na,b,y\n" + "1,2,0\n3,4,1\n" * 9, None),
        ("# made by hand\n#a,b,y\n" + "1,2,0\n3,4,1\n" * 9 + "# the end\n", None),
        ("a,b,y\n" + "1,2,#0\n3,4,#1\n" * 9, ("#0", "#1")),
        ("a|b|y\n" + "1|2|no\n3|4|yes\n" * 9, ("no", "yes")),
        ("a;b;y\n" + "1;2;False\n3;4;True\n" * 9, (False, True)),
        ("1,2,-\n3,4,+\n" * 9, ("+", "-")),
    ],
)
def test_quotes_comments_separators_and_labels(spark, tmp_path, way, text, labels):
    (tmp_path / "t.csv").write_text(text)
    train, _ = read(spark, str(tmp_path / "t.csv"), label_column=-1)
    inputs, found = values_of(train)
    assert inputs[:2, -2:].tolist() == [[1, 2], [3, 4]] and train.rows == 18
    assert train.decoder.labels == labels
    assert found[:2].tolist() == ([1, 0] if labels == ("+", "-") else [0, 1])


@pytest.mark.parametrize("comment", ["", "# colors\n"])
def test_rows_that_start_with_a_hash_are_rows(spark, tmp_path, way, comment):
    (tmp_path / "t.csv").write_text(f"{comment}color,y\n" + "#ff0000,0\nblue,1\n" * 9)
    train, _ = read(spark, str(tmp_path / "t.csv"), label_column="y")
    assert train.columns[0].values == ("#ff0000", "blue") and train.rows == 18


@pytest.mark.parametrize("options", [(), ("comment=#",)])
@pytest.mark.parametrize(
    "text", ["# a\n\n# b\nx,c,y\n", "# a\n# b\nx,c,y\n# d\n", "# a\ntitle, 3\n#x,c,y\nx,c,y\n"]
)
def test_skipped_lines_may_be_comments(spark, tmp_path, options, text):
    (tmp_path / "t.csv").write_text(text + "1,a,0\n2,b,1\n" * 9)
    skip = text.splitlines().index("x,c,y")
    path = str(tmp_path / "t.csv")
    train, _ = read(spark, path, label_column="y", format="csv", skip_lines=skip, read_options=options)
    assert values_of(train)[0][:, 0].tolist() == [1, 2] * 9


def test_the_fast_readers_own_error_is_told_where_cells_of_numbers_are_wrong(spark, tmp_path, way):
    rows = [[row, 2 * row, row % 2] for row in range(40)]
    rows[30][1] = "oops"
    path = write(tmp_path / "t.csv", rows, None)
    with pytest.raises(DataError, match=r"t.csv, line 31: expected a number as value 2 of 3, found 'oops'"):
        read(spark, path, label_column=-1)
    with pytest.raises(
        DataError, match=r"other cells in column '1' \(1\), such as 'oops' in .*t.csv; --missing-v"
    ):
        read(spark, path, label_column=-1, format="csv")
    train, _ = read(
        spark, path, label_column=-1, missing_values=("oops",), reading=ReadingOptions(missing="mean")
    )
    assert np.isnan(values_of(train)[0][30]).tolist() == [False, True]


def test_a_class_whose_rows_are_all_left_out_stays_a_class(spark, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text("x,y\n1,a\n2,b\n,c\n3,a\n")
    dataset, _ = read(spark, str(path), label_column="y", reading=ReadingOptions(missing="drop"))
    assert dataset.classes == 3 == len(dataset.decoder.labels) and dataset.class_rows.tolist() == [2, 1, 0]


@pytest.mark.parametrize("word", ["", "NA", "?", "null", "NaN", '"NA"'])
def test_missing_values_are_counted_by_row_and_column(spark, tmp_path, way, word):
    lines = [f"{row},{word if row % 10 == 0 else row},{row % 2}" for row in range(1, 41)]
    (tmp_path / "t.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n")
    path = str(tmp_path / "t.csv")
    with pytest.raises(
        DataError, match=r"t.csv: 4 rows have missing values, in column 'b' \(4\); --missing mean"
    ):
        read(spark, path, label_column="y")
    filled, _ = read(spark, path, label_column="y", reading=ReadingOptions(missing="mean"))
    assert np.flatnonzero(np.isnan(values_of(filled)[0][:, 1])).tolist() == [9, 19, 29, 39]
    dropped, _ = read(spark, path, label_column="y", reading=ReadingOptions(missing="drop"))
    assert values_of(dropped)[0][:, 0].tolist() == [row for row in range(1, 41) if row % 10]
    assert any("4 rows with missing values are left out" in note for note in dropped.notes)


def test_a_word_for_a_missing_value_is_no_first_value_of_its_column(spark, tmp_path, way):
    rows = [["-99999", 0], *([70_000 + row, row % 2] for row in range(20))]
    path, reading = write(tmp_path / "t.csv", rows, ("x", "y")), ReadingOptions(missing="mean", offsets=True)
    train, _ = read(spark, path, label_column="y", format="csv", missing_values=("-99999",), reading=reading)
    assert train.columns[0].offset == 70_000


@pytest.mark.parametrize(("type_name", "empty"), [("array<double>", []), ("binary", b"")])
def test_a_column_of_empty_values_is_refused(spark, session, tmp_path, type_name, empty):
    frame = session.createDataFrame([(empty, 0), (empty, 1)], f"x {type_name}, y int")
    frame.coalesce(1).write.parquet(str(tmp_path / "t"))
    with pytest.raises(DataError, match="column 'x': expected a value in the first rows, found an empty one"):
        read(spark, str(tmp_path / "t"), label_column="y")


def test_a_header_that_does_not_fit_the_rows_is_told(spark, tmp_path):
    path = write(tmp_path / "t.csv", [("1", "x"), ("2", "y")], ("a", "b", "c", "d"))
    with pytest.raises(DataError, match=r"t.csv: expected 2 names in the header, .* found 4"):
        read(spark, path, label_column=0, format="csv", header="yes")


def test_lines_that_are_no_rows_are_told(spark, tmp_path, way):
    path = write(tmp_path / "t.csv", [*iris(), ("1", "red", "2")])
    with pytest.raises(DataError, match=r"1 line is no rows of 4 fields, such as '1,red,2' in .*t.csv"):
        read(spark, path, label_column="species")


def test_dates_and_names_of_rows_are_refused_with_what_to_do(spark, session, tmp_path, way):
    day = datetime.date(2020, 1, 1)
    rows = [(float(row), day, row % 2) for row in range(30)]
    session.createDataFrame(rows, "a double, d date, y int").write.parquet(str(tmp_path / "t"))
    with pytest.raises(DataError, match="column 'd': .*, found date; .* --drop-columns d"):
        read(spark, str(tmp_path / "t"), label_column="y")
    read(spark, str(tmp_path / "t"), label_column="y", drop_columns=("d",))
    path = write(tmp_path / "t.csv", [(row, f"name{row}", row % 2) for row in range(30)], ("a", "b", "y"))
    with pytest.raises(DataError, match="column 'b' .* 30 different strings in 30 rows.* --drop-columns b"):
        read(spark, path, label_column="y")


def test_rare_and_unknown_categories(spark, tmp_path, way):
    words = ["a"] * 9 + ["b"] * 9 + ["c"] * 2
    path = write(tmp_path / "t.csv", [(word, row % 2) for row, word in enumerate(words)], ("x", "y"))
    other = write(tmp_path / "z.csv", [("b", 1), ("new", 0), ("a", 0)], ("x", "y"))
    train, test = read(spark, path, other, label_column="y", reading=ReadingOptions(max_categories=2))
    assert train.columns[0].values == ("a", "b") and train.columns[0].rare
    assert values_of(train)[0][-3:, 0].tolist() == [1, -1, -1]
    assert values_of(test)[0][:, 0].tolist() == [1, -1, 0]
    assert any("has 3 categories: the 2 most frequent are kept" in note for note in train.notes)


def test_as_many_categories_are_kept_as_the_user_says_beside_labels(spark, tmp_path, way, monkeypatch):
    monkeypatch.setattr(csv, "MAX_CLASSES", 2)
    path = write(tmp_path / "t.csv", [("abc"[row % 3], row % 2) for row in range(30)], ("x", "y"))
    train, _ = read(spark, path, label_column="y", reading=ReadingOptions(max_categories=3, unknown="error"))
    assert train.columns[0].values == ("a", "b", "c") and not train.columns[0].rare
    assert values_of(train)[0][:3, 0].tolist() == [0, 1, 2]


@pytest.mark.parametrize("values", [("new", "new", "a"), ("?", "b", "a")])
def test_unknown_error_refuses_categories_that_the_training_rows_have_not(spark, tmp_path, values):
    path = write(tmp_path / "t.csv", [("ab"[row % 2], row % 2) for row in range(20)], ("x", "y"))
    other = write(tmp_path / "z.csv", [(value, 1) for value in values], ("x", "y"))
    reading = ReadingOptions(unknown="error", missing="mean")
    if "new" not in values:  # a missing value is no category
        read(spark, path, other, label_column="y", reading=reading)
        return
    with pytest.raises(
        DataError, match=r"TEST_IMAGES: .*z.csv: column 'x': .* others in 2 rows, such as 'new'; --unk"
    ):
        read(spark, path, other, label_column="y", reading=reading)
    rare = reading._replace(
        max_categories=1
    )  # the rare categories share an input, which takes unknown ones too
    read(spark, path, other, label_column="y", reading=rare)


def test_texts_of_numbers_in_a_format_with_types_are_named(spark, session, tmp_path):
    rows = [(str(row), str(row % 3), row % 2) for row in range(30)]
    session.createDataFrame(rows, "a string, b string, y int").write.parquet(str(tmp_path / "t"))
    with pytest.raises(
        DataError, match="column 'a' of .*: strings of numbers, such as '0': write it as a column of num"
    ):
        read(spark, str(tmp_path / "t"), label_column="y")
    for categorical, noted in (((), True), (("b",), False)):
        reading = ReadingOptions(categorical=categorical)
        train, _ = read(spark, str(tmp_path / "t"), label_column="y", drop_columns=("a",), reading=reading)
        assert any("column 'b' has strings of numbers, such as '0'" in note for note in train.notes) == noted


def test_bytes_that_are_not_utf8_are_noted(spark, tmp_path):
    (tmp_path / "t.csv").write_bytes(b"x,y\n" + b"K\xf6ln,1\nRome,0\n" * 5)
    for options, noted in (((), True), (("encoding=ISO-8859-1",), False)):
        train, _ = read(spark, str(tmp_path / "t.csv"), label_column="y", format="csv", read_options=options)
        assert (
            any("'x' has bytes that are not UTF-8, as in 'K\\ufffdln'" in note for note in train.notes)
            == noted
        )


def test_a_header_is_told_from_rows_in_another_encoding_and_with_blanks_around_its_names(spark, tmp_path):
    rows = b"".join(b"%d,%d,%d\n" % (row * 7 % 5, row * 3 % 4, row % 2) for row in range(20))
    for header, encoding in (("größe,b,y", "ISO-8859-1"), ('"größe ","b\u00a0"," y"', "utf-8")):
        (tmp_path / "t.csv").write_bytes(f"{header}\n".encode(encoding) + rows)
        options = ("encoding=ISO-8859-1",) if encoding != "utf-8" else ()
        path = str(tmp_path / "t.csv")
        train, _ = read(spark, path, label_column="y", format="csv", read_options=options)
        assert [column.name for column in train.columns] == ["größe", "b"] and train.rows == 20


def test_first_lines_of_any_length_are_looked_at(spark, tmp_path, monkeypatch):
    path = write(tmp_path / "t.csv", iris())
    monkeypatch.setattr(table_source, "FIRST_BYTES", 8)
    assert_is_iris(read(spark, path, label_column="species", format="csv")[0])
    monkeypatch.setattr(table_source, "LONGEST", 16)
    with pytest.raises(DataError, match="line 1: expected a row of at most 16 bytes, found a longer one"):
        read(spark, path, label_column="species", format="csv")


def test_a_table_that_begins_with_quoted_separators_is_read(spark, tmp_path):
    path = write(
        tmp_path / "t.csv", [("Washington, DC", row, row % 2) for row in range(20)], ("city", "x", "y")
    )
    train, _ = read(spark, path, label_column="y")
    assert train.columns[0].values == ("Washington, DC",) and train.width == 2


def test_text_of_numbers_is_tested_on_another_format(spark, session, tmp_path):
    path = write(tmp_path / "t.csv", [(row / 2, row % 2) for row in range(20)], ("x", "y"))
    session.createDataFrame([(0, 4.5), (1, 7.0)], "y int, x double").write.parquet(str(tmp_path / "p"))
    train, test = read(spark, path, str(tmp_path / "p"), label_column="y")
    inputs, labels = values_of(test)
    assert inputs[:, 0].tolist() == [4.5, 7.0] and labels.tolist() == [0, 1] and train.rows == 20
    assert any(
        "is text of numbers, " in note and "is parquet: read with Spark's" in note for note in train.notes
    )


def test_json_that_is_none_and_times_in_nanoseconds_are_refused_with_what_to_do(spark, tmp_path):
    path = write(tmp_path / "t.csv", iris())
    with pytest.raises(
        DataError, match="TRAIN_IMAGES: expected JSON lines, an object in each line, found none in"
    ):
        read(spark, path, label_column="species", format="json")
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    pyarrow.parquet.write_table(pa.table({"x": np.array([1], "datetime64[ns]")}), str(tmp_path / "t.parquet"))
    with pytest.raises(DataError, match="write times in microseconds"):
        read(spark, str(tmp_path / "t.parquet"), label_column="x")


def test_numbers_named_in_categorical_are_categories(spark, tmp_path, way):
    path = write(tmp_path / "t.csv", [(row % 3 * 5, row, row % 2) for row in range(30)], ("code", "x", "y"))
    train, _ = read(spark, path, label_column="y", reading=ReadingOptions(categorical=("code",)))
    assert train.columns[0].values == ("0", "10", "5") and train.columns[1].values is None


@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_real_numbers_as_categories_have_the_names_of_python(spark, tmp_path, way, kind):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet

    codes = np.array([1e-5, 0.1, 5.0, 1e16, 12345678.5] * 6, kind)
    table = {"code": codes, "y": np.arange(30) % 2}
    pyarrow.parquet.write_table(pa.table(table), str(tmp_path / "t.parquet"))
    train, _ = read(
        spark, str(tmp_path / "t.parquet"), label_column="y", reading=ReadingOptions(categorical=("code",))
    )
    values = train.columns[0].values
    assert set(values) == set(names_of(codes))
    assert np.array_equal(values_of(train)[0][:, 0], pack_categories(names_of(codes), values))


def test_a_label_that_training_has_not_is_refused(spark, tmp_path, way):
    path = write(tmp_path / "t.csv", iris())
    other = write(tmp_path / "z.csv", [*iris(5), (1, "red", 2, "tulip")])
    with pytest.raises(
        DataError, match=r"TEST_IMAGES: .*expected one of the labels .* found 1 other cells, such as"
    ):
        read(spark, path, other, label_column="species")


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_large_whole_labels_are_told_apart(spark, session, tmp_path, way, format):
    labels = [2**53, 2**53 + 1, 2**53 + 2]
    rows = [(row, "ab"[row % 2], labels[row % 3]) for row in range(12)]
    if format == "csv":
        path = write(tmp_path / "t.csv", rows, ("a", "b", "y"))
    else:
        path = str(tmp_path / "t")
        session.createDataFrame(rows, "a int, b string, y long").coalesce(1).write.parquet(path)
    train, _ = read(spark, path, label_column="y")
    assert train.decoder.labels == tuple(labels)
    assert values_of(train)[1].tolist() == [0, 1, 2] * 4


@pytest.mark.parametrize("cells", [("+07", "1.0", "1e1"), ("007", " 1", "10"), ("7", "01", "10.")])
def test_labels_are_numbers_however_they_are_written(spark, tmp_path, way, cells):
    path = write(tmp_path / "t.csv", [(row, "ab"[row % 2], cells[row % 3]) for row in range(12)], "aby")
    other = write(tmp_path / "z.csv", [(1, "a", "7.0"), (1, "a", "+1"), (1, "a", "010")], "aby")
    train, test = read(spark, path, other, label_column="y")
    assert train.decoder.labels == (1, 7, 10)
    assert values_of(train)[1].tolist() == [1, 0, 2] * 4 and values_of(test)[1].tolist() == [1, 0, 2]
    wrong = write(tmp_path / "w.csv", [(1, "a", "7"), (1, "a", "7.5")], "aby")
    with pytest.raises(DataError, match="expected one of the labels .* found 1 other cells"):
        read(spark, path, wrong, label_column="y")


def test_whole_labels_beyond_float32_in_text_of_numbers_are_read_by_the_reader_of_csv(spark, tmp_path, way):
    days = [20240101, 20240102]
    path = write(tmp_path / "t.csv", [(row / 2, days[row % 2]) for row in range(12)], ("a", "y"))
    train, _ = read(spark, path, label_column="y")
    assert train.decoder.labels == tuple(days) and values_of(train)[1].tolist() == [0, 1] * 6
    np.savetxt(tmp_path / "x.csv", np.arange(2.0, 26.0).reshape(12, 2), delimiter=",")
    (tmp_path / "y.csv").write_text("20240101\n20240102\n" * 6)
    source = Source("TRAIN", str(tmp_path / "x.csv"), str(tmp_path / "y.csv"))
    train, _ = read(spark, source, source._replace(name="TEST"))
    assert train.decoder.labels == tuple(days) and values_of(train)[1].tolist() == [0, 1] * 6


def test_flags_of_validation_rows_may_be_written_as_real_numbers(spark, tmp_path, way):
    flags = ["1.0", "0.0", "0", "true", "FALSE", "1"]
    rows = [(row, "ab"[row % 2], row % 2, flags[row % 6]) for row in range(12)]
    path = write(tmp_path / "t.csv", rows, ("a", "b", "y", "held"))
    train, _ = read(spark, path, label_column="y", validation_column="held")
    assert train.held_out.tolist() == [True, False, False, True, False, True] * 2
    path = write(tmp_path / "z.csv", [*rows, (1, "a", 0, "2.0")], ("a", "b", "y", "held"))
    with pytest.raises(DataError, match="validation"):
        read(spark, path, label_column="y", validation_column="held")


def test_libsvm_is_dense_and_as_wide_as_in_training(spark, tmp_path, way):
    (tmp_path / "t.txt").write_text("1 1:5 3:7\n-1 2:1\n1 4:2.5\n" * 5)
    (tmp_path / "z.txt").write_text("1 1:1\n-1 2:2\n")
    train, test = read(spark, str(tmp_path / "t.txt"), str(tmp_path / "z.txt"), label_column=0)
    inputs, labels = values_of(train)
    assert inputs[:3].tolist() == [[5, 0, 7, 0], [0, 1, 0, 0], [0, 0, 0, 2.5]]
    assert train.decoder.labels == (-1, 1) and labels[:3].tolist() == [1, 0, 1]
    assert test.width == 4 and values_of(test)[0].tolist() == [[1, 0, 0, 0], [0, 2, 0, 0]]


def test_sparse_rows_beyond_memory_are_refused(spark, tmp_path, monkeypatch):
    (tmp_path / "t.txt").write_text("1 1:5 1000000:7\n0 2:1\n" * 500)
    from nn.spark.input import cache

    monkeypatch.setattr(cache, "free_storage", lambda context: 3 << 30)
    with pytest.raises(
        DataError, match=r"1,000 rows of 1,000,000 values each take 4 GB in memory, where 3.22 GB"
    ):
        read(spark, str(tmp_path / "t.txt"), label_column=0)


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_regression_keeps_targets_and_validation_rows(spark, session, tmp_path, way, format):
    rows = [(float(row), "ab"[row % 2], row * 0.1 + 1e6, row % 5 == 0) for row in range(50)]
    if format == "csv":
        path = write(tmp_path / "t.csv", rows, ("a", "b", "y", "held"))
    else:
        path = str(tmp_path / "t")
        session.createDataFrame(rows, "a double, b string, y double, held boolean").write.parquet(path)
    train, _ = read(
        spark, path, label_column="y", validation_column="held", reading=ReadingOptions(task="regression")
    )
    assert train.labels is None and np.allclose(train.targets, [row[2] for row in rows], rtol=1e-15)
    assert train.held_out.tolist() == [row[3] for row in rows]
    assert np.array_equal(values_of(train)[1], train.targets)
    moved = shuffled(train, 3)
    assert np.array_equal(values_of(moved)[1], moved.targets) and not np.array_equal(
        moved.targets, train.targets
    )
    held_out = dict(zip(train.targets.tolist(), train.held_out.tolist(), strict=True))
    assert moved.held_out.tolist() == [held_out[target] for target in moved.targets.tolist()]
    if format == "csv":
        with pytest.raises(DataError, match="found real numbers .* --task regression"):
            read(spark, path, label_column="y", validation_column="held")


def test_numeric_text_keeps_its_reader_for_names_targets_and_offsets(spark, tmp_path):
    rows = [(100_000.25 + row, row / 7, row, row % 3, row % 2) for row in range(40)]
    path = write(tmp_path / "t.csv", rows, ("big", "y", "id", "c", "held"))
    options = {"label_column": "y", "id_column": "id", "validation_column": "held", "features": ("b*", "c")}
    train, test = read(spark, path, reading=ReadingOptions(task="regression", offsets=True), **options)
    assert [(column.name, column.offset) for column in train.columns] == [("big", 100_000.25), ("c", 0.0)]
    assert values_of(train)[0].tolist() == [[row, row % 3] for row in range(40)]
    assert np.array_equal(train.targets, [float(str(row[1])) for row in rows])
    assert train.held_out.tolist() == [row % 2 == 1 for row in range(40)] and test.held_out is None
    assert not train.notes or all("Spark's reader" not in note for note in train.notes)


@pytest.mark.parametrize(
    ("cells", "labels"),
    [
        (["dog", "cat"], ("cat", "dog")),
        (['"1"', '"2"'], (1, 2)),
        (["True", "False"], (False, True)),
        (["'0'", "'1'"], None),
    ],
)
def test_labels_in_a_file_of_their_own(spark, tmp_path, cells, labels):
    inputs = np.random.default_rng(0).integers(0, 256, (20, 4))
    np.savetxt(tmp_path / "x.csv", inputs, fmt="%d", delimiter=",")
    (tmp_path / "y.csv").write_text("\n".join(cells * 10) + "\n")
    source = Source("TRAIN", str(tmp_path / "x.csv"), str(tmp_path / "y.csv"))
    train, test = read(spark, source, source._replace(name="TEST"))
    assert train.decoder.labels == labels and train.rows == 20
    expected = [0, 1] * 10 if labels in (None, (1, 2)) else [1, 0] * 10
    for dataset in (train, test):
        found, numbers = values_of(dataset)
        assert numbers.tolist() == expected and np.array_equal(found, inputs)
        assert {block.inputs.dtype for block in dataset.blocks.collect()} == {np.dtype(np.uint8)}


def test_a_test_set_is_read_by_name_in_any_order(spark, tmp_path, way):
    path = write(tmp_path / "t.csv", iris())
    moved = [(row[3], "x", row[2], row[1], row[0]) for row in iris()]
    other = write(tmp_path / "z.csv", moved, ("species", "more", "size", "color", "length"))
    _, test = read(spark, path, other, label_column="species")
    assert_is_iris(test)
    lacking = write(tmp_path / "n.csv", [row[:3] for row in iris()], NAMES[:3])
    with pytest.raises(
        DataError, match="expected the column 'species' with the labels .*; has this file no labels"
    ):
        read(spark, path, lacking, label_column="species")
    short = write(tmp_path / "m.csv", [(1, 2, "setosa")], ("length", "size", "species"))
    with pytest.raises(DataError, match="expected the columns of TRAIN_IMAGES, found none called 'color'"):
        read(spark, path, short, label_column="species")


def test_a_table_of_the_catalog(spark, session, way):
    frame = session.createDataFrame(iris(), "length double, color string, size long, species string")
    frame.write.mode("overwrite").saveAsTable("iris_table")
    try:
        train, _ = read(spark, "iris_table", format="table", label_column="species")
        assert train.rows == ROWS and train.columns[1].values == ("blue", "green", "red")
    finally:
        session.sql("drop table iris_table")


@pytest.mark.parametrize("label", ["y", 2])
def test_a_test_fraction_takes_the_same_share_of_each_class(spark, tmp_path, label):
    rows = [(row, row * row, row % 3 if row < 90 else 0) for row in range(100)]
    path = write(tmp_path / "t.csv", rows, ("a", "b", "y"))
    source = Source("TRAIN", path, None, label)
    sets = [
        reader.read_both(
            spark, Storage(spark), source, None, pieces, ReadingOptions(test_fraction=0.25, seed=seed)
        )
        for pieces, seed in ((2, 0), (3, 0), (2, 1))
    ]
    for train, test in sets:
        assert train.class_rows.tolist() == [30, 22, 22] and test.class_rows.tolist() == [10, 8, 8]
        (inputs, labels), (others, test_labels) = values_of(train), values_of(test)
        assert sorted([*inputs[:, 0], *others[:, 0]]) == list(range(100))
        assert np.array_equal(train.labels, labels) and np.array_equal(test.labels, test_labels)
        assert train.shuffle_windows.counts.sum() == 74 and not train.blocks.first().validation
    chosen = [values_of(test)[0][:, 0].tolist() for _, test in sets]
    assert chosen[0] == chosen[1] != chosen[2] and len({train.fingerprint for train, _ in sets}) == 3
    train, test = reader.read_both(spark, Storage(spark), source, None, 2)
    assert test is None and train.rows == 100


def test_a_column_called_0(spark, tmp_path):
    rows = [(row, 1.5 * row, row % 2) for row in range(20)]
    path = write(tmp_path / "t.csv", rows, ("2", "1", "0"))
    train, _ = read(spark, path, label_column=NAME + "0", header="yes")
    assert train.labels.tolist() == [row % 2 for row in range(20)] and train.width == 2


def test_a_fault_of_the_program_is_not_an_error_of_the_data(spark, tmp_path):
    path = write(tmp_path / "t.csv", iris())
    table = Table(spark, Storage(spark), path, "TRAIN_IMAGES", 1, TableFormat())
    with pytest.raises(AttributeError), table.readable():
        table.no_such_method()


def test_a_file_of_parquet_whose_end_is_missing_is_told_as_such(spark, tmp_path):
    path = tmp_path / "cut.parquet"
    path.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(
        DataError, match="^TRAIN_IMAGES: expected a parquet file, found one whose footer cannot"
    ):
        read(spark, str(path))


def test_a_connection_that_breaks_at_the_end_of_a_file_is_no_fault_of_the_file(spark, tmp_path):
    table = Table.__new__(Table)
    table.path, table.argument = "s3a://b/x", "TRAIN_IMAGES"
    broken = HTTP.format("[CANNOT_READ_FILE_FOOTER] Could not read footer: ")
    with pytest.raises(PlatformError, match="^TRAIN_IMAGES: .*Premature end"), table.readable():
        raise JavaError(broken)
