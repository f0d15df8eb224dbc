"""--describe: what training does to columns, in words, and the table of them; and the options that it needs."""

import math

import numpy as np
import pytest

from nn.cli import describe, parser
from nn.cli.preprocessing import PreprocessedColumn, preprocessing_of
from nn.core.errors import UsageError
from nn.data.decoding import ClassLabels
from nn.data.description import summarize
from nn.spark.input.described_columns import FileColumn
from nn.spark.input.describing import Description, Labels
from nn.spark.input.table_columns import CATEGORY, NUMBER, Kind
from nn.training.recipe import Recipe

ROWS = 100


def described(label="bought", **columns):
    """The description of a table of columns by name: arrays of numbers, or lists of strings and None."""
    values, texts, found = [], {}, []
    for index, (name, cells) in enumerate(columns.items()):
        is_text = isinstance(cells, list)
        values.append(np.full(len(cells), np.nan) if is_text else np.asarray(cells, float))
        if is_text:
            texts[index] = cells
        role = "label" if name == label else name if name in ("weight", "validation") else "input"
        found.append(FileColumn(name, role, Kind(CATEGORY if is_text else NUMBER), index))
    names = list(columns)
    inputs = np.array([index for index, column in enumerate(found) if column.role == "input"])
    number = names.index(label) if label in names else None
    summary = summarize(np.column_stack(values), texts, inputs, number, 0, 0)
    return Description("TRAIN_IMAGES", "t.csv", "csv", tuple(found), summary, None, (), 1, True)


def done(recipe, label="bought", **columns):
    """The words on the only column beside the label."""
    preprocessing = preprocessing_of(described(label, **columns), recipe)
    (column,) = [column for column in preprocessing.columns if column.role == "input"]
    return describe.words(column)


@pytest.fixture
def bought(rng):
    return [["yes", "no"][k] for k in rng.integers(0, 2, ROWS)]


def test_numbers_are_told_how_they_are_scaled(rng, bought):
    x = rng.normal(size=ROWS)
    assert done(Recipe(), x=x, bought=bought) == "standardized"
    assert done(Recipe.of(scale="minmax"), x=x, bought=bought) == "mapped to 0..1"
    assert done(Recipe.of(scale="none"), x=x, bought=bought) == "taken as it is"
    assert done(Recipe.of(scale="largest"), x=np.round(x * 9), bought=bought).startswith("divided by ")
    assert done(Recipe(), x=np.ones(ROWS), bought=bought) == "standardized; constant: becomes 0"
    large = 1e8 + rng.integers(0, 50, ROWS)
    assert done(Recipe(), x=large, bought=bought) == "standardized; kept less its first value"


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ("error", "standardized; refused: 3 missing values, unless --missing says what to do"),
        ("mean", "standardized; missing values become the mean"),
        ("zero", "standardized; missing values become 0"),
        ("indicator", "standardized; missing values become the mean, one more input says so"),
        ("drop", "standardized; rows with a missing value are left out"),
    ],
)
def test_missing_values_are_told_and_what_becomes_of_them(rng, bought, missing, expected):
    x = rng.normal(size=ROWS)
    x[[3, 50, 99]] = np.nan
    assert done(Recipe.of(missing=missing), x=x, bought=bought) == expected


def test_categories_are_told_with_their_inputs(rng, bought):
    cities = [f"c{k}" for k in rng.permutation(ROWS) % 7]
    assert done(Recipe(), city=cities, bought=bought) == (
        "one-hot into 8 inputs: 7 values, one for other values"
    )
    assert done(Recipe.of(max_categories=5), city=cities, bought=bought) == (
        "one-hot into 6 inputs: the 5 most frequent values, one for 2 rare values"
    )
    assert done(Recipe.of(unknown="error"), city=cities, bought=bought) == ("one-hot into 7 inputs: 7 values")
    assert done(Recipe.of(missing="indicator"), city=cities, bought=bought).startswith(
        "one-hot into 8 inputs"
    )
    cities[0] = None
    assert done(Recipe.of(missing="indicator"), city=cities, bought=bought) == (
        "one-hot into 9 inputs: 7 values, one for other values, one for missing values; missing values "
        "become zeros in the others"
    )


def test_what_training_refuses_is_told_with_what_to_do(rng, bought):
    names = [f"name {row}" for row in range(ROWS)]
    assert "refused: it names the rows, or is free text: --drop-columns name" in done(
        Recipe(), name=names, bought=bought
    )
    cells = rng.normal(size=ROWS)
    cells[4] = -np.inf
    assert "refused: 1 cell without a number; --missing-values WORD or --categorical x" in done(
        Recipe(), x=cells, bought=bought
    )


def test_weights_and_validation_rows_are_checked(rng, bought):
    x, good = rng.normal(size=ROWS), np.arange(ROWS) % 2
    for name, fault in (("weight", "expected row weights from 0"), ("validation", "expected true or false")):
        assert not list(preprocessing_of(described(x=x, bought=bought, **{name: good}), Recipe()).faults)
        for wrong in (-1.0, np.nan, 2e9, -np.inf):
            cells = np.where(np.arange(ROWS) == 5, wrong, good)
            (line,) = preprocessing_of(described(x=x, bought=bought, **{name: cells}), Recipe()).faults
            assert line.startswith(f"column '{name}': {fault}")


def test_a_copy_of_the_label_is_told(bought):
    answer = np.array([3.0 if word == "yes" else -1.0 for word in bought])
    assert done(Recipe(), answer=answer, bought=bought) == "standardized; a copy of the label"


def test_labels_are_classes_with_their_rows_or_the_range_of_a_target(rng, bought):
    x = rng.normal(size=ROWS)
    label = preprocessing_of(described(x=x, bought=bought), Recipe()).label
    line = describe.label_line(label, False)
    counts = f"no {bought.count('no')}, yes {bought.count('yes')}"
    assert line == f"label     column 'bought': classification, 2 classes: {counts}"
    regression = preprocessing_of(
        described("x", x=np.arange(ROWS) / 4, y=x), Recipe.of(task="regression", loss="mse")
    )
    assert describe.label_line(regression.label, True) == (
        "label     column 'x': regression, target from 0 to 24.75, mean 12.375"
    )
    many = preprocessing_of(described("k", k=np.arange(ROWS) % 20, x=x), Recipe()).label
    assert describe.label_line(many, False).endswith(
        "20 classes: " + ", ".join(f"{k} 5" for k in range(10)) + ", ..."
    )


def test_labels_that_training_refuses_are_told(rng, bought):
    measured = preprocessing_of(described("x", x=rng.normal(size=ROWS), b=bought), Recipe())
    assert "training refuses it: expected labels of classes, found real numbers" in describe.label_line(
        measured.label, False
    )
    prepared = preprocessing_of(described(x=rng.normal(size=ROWS), bought=[*bought[1:], None]), Recipe())
    assert list(prepared.faults) == ["column 'bought': expected a label in each row, found 1 missing value"]
    one = preprocessing_of(described(x=rng.normal(size=ROWS), bought=["yes"] * ROWS), Recipe())
    assert "at least 2 classes" in next(iter(one.faults))


def test_labels_of_a_file_of_their_own_are_told(rng):
    description = described(None, x=rng.normal(size=ROWS))
    values = np.array([0, 2, 2, 1] * 25, np.int16)
    labels = Labels("TRAIN_LABELS", values, ClassLabels(("a", "b", "c")), np.zeros(3, np.uint64))
    preprocessing = preprocessing_of(description._replace(labels=labels), Recipe())
    assert describe.label_line(preprocessing.label, False).endswith(
        "TRAIN_LABELS: classification, 3 classes: a 25, b 25, c 50"
    )


def test_pixels_of_a_wide_table_share_a_line(rng):
    pixels = {f"p{k}": rng.integers(0, 256, ROWS) for k in range(100)}
    preprocessing = preprocessing_of(described("digit", digit=np.arange(ROWS) % 10, **pixels), Recipe())
    header, label, line = describe.table(preprocessing.columns)
    assert header.split()[:7] == ["column", "kind", "min", "mean", "max", "missing", "distinct"]
    assert label.startswith("digit") and "the classes" in label
    assert line.startswith("p0 ... p99 (100 columns)  pixels    0") and "divided by 255" in line


def test_bytes_with_missing_values_are_no_pixels(rng):
    pixels = {f"p{k}": rng.integers(0, 256, ROWS).astype(float) for k in range(100)}
    pixels["p7"][3] = np.nan
    columns = preprocessing_of(
        described("digit", digit=np.arange(ROWS) % 10, **pixels), Recipe.of(missing="mean")
    ).columns
    assert {column.kind for column in columns} == {"label", "number"} and columns[1].done == "standardized"


def test_parts_of_a_column_are_named_but_cannot_be_dropped_alone(bought):
    found = described(a=np.arange(ROWS), b=np.ones(ROWS), bought=bought)
    wide = FileColumn("v", "input", Kind("array", 2), 0)
    columns = preprocessing_of(found._replace(columns=(wide, found.columns[2])), Recipe()).columns
    assert [column.name for column in columns] == ["v[0]", "v[1]", "bought"]
    assert "looks like an index" in describe.words(columns[0]) and not any(c.is_doubtful for c in columns)


def test_a_group_counts_what_is_told_of_some_of_its_columns():
    column = PreprocessedColumn("a", "input", "number", "a", 0.0, 1.0, 2.0, 0, (3, 3), False, "standardized")
    odd = column._replace(
        name="b", low=-1.0, missing_values=4, distinct=(1, 1), extras=(("constant: becomes 0", 1),)
    )
    empty = column._replace(name="c", low=math.nan, mean=math.nan, high=math.nan)
    other = column._replace(name="d", done="one-hot into 2 inputs")
    group, alone = describe.grouped([column, odd, empty, other])
    assert (group.name, group.low, group.mean, group.high) == ("a ... c (3 columns)", -1, 1, 2)
    assert (group.missing_values, group.distinct, group.columns, alone) == (4, (1, 3), 3, other)
    assert describe.words(group) == "standardized; constant: becomes 0 (1)"


def test_names_are_written_as_options_take_them(rng, bought):
    columns = {name: np.arange(ROWS) for name in ("", "3", "a,b", "p*")}
    description = described(**columns, bought=bought)
    preprocessing = preprocessing_of(description, Recipe())
    assert [column.reference for column in preprocessing.columns[:4]] == ["0", "name=3", r"a\,b", "name=p*"]
    lines = list(
        describe.explanations(
            described(**columns, bought=bought), preprocessing, parser.parse(["x", "--describe"])
        )
    )
    assert lines[0] == "advice    --drop-columns '0,name=3,a\\,b,name=p*' leaves out what looks like no input"


def test_faults_of_missing_values_are_one_line_for_all_columns(rng, bought):
    x = rng.normal(size=ROWS)
    x[:2] = np.nan
    preprocessing = preprocessing_of(described(**{f"x{k}": x for k in range(8)}, bought=bought), Recipe())
    (line,) = preprocessing.faults
    assert (
        line.startswith("missing values in column 'x0' (2), column 'x1' (2)")
        and "and 3 more columns; --missing" in line
    )


# ---- options ----


def test_describe_needs_the_training_images_alone():
    options = parser.parse(["t.csv", "--describe"])
    assert (options.train_images, options.train_labels, options.test_images, options.output) == (
        "t.csv",
        "-",
        "-",
        "-",
    )
    options = parser.parse(["t.csv", "y.csv", "--describe"])
    assert (options.train_labels, options.describe) == ("y.csv", True)
    full = parser.parse(
        ["t.csv", "-", "-", "-", "out", "--label-column", "y", "--test-fraction", "0.2", "--describe"]
    )
    assert (full.output, full.label_column) == ("out", "y")


def test_describe_takes_the_paths_of_a_configuration_file(tmp_path):
    (tmp_path / "c.json").write_text('{"train_images": "a.csv", "train_labels": "b.csv"}')
    options = parser.parse(["--config", str(tmp_path / "c.json"), "out", "--describe"])
    assert (options.train_images, options.train_labels, options.output) == ("a.csv", "b.csv", "out")
    with pytest.raises(UsageError, match="required: TRAIN_IMAGES"):
        parser.parse(["--describe"])


@pytest.mark.parametrize("other", ["--check", "--dry-run"])
def test_describe_excludes_the_other_checks(other):
    with pytest.raises(UsageError, match=f"--describe and {other} exclude each other"):
        parser.parse(["t.csv", "--describe", other])
