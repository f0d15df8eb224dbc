"""Training on tables in memory: columns by name, labels of any kind, missing values, categories, scales, values."""

import numpy as np
import pytest

import nn
import nn.data.hold_out
import nn.data.tables
import nn.models.classifier
from nn.data.decoding import TargetScale
from nn.data.encoding import Category, Number, SharedScale, TableEncoder

ROWS = 240
RNG = np.random.default_rng(4)
SIZE = RNG.normal(1000, 200, ROWS)
COLOR = RNG.choice(["red", "green", "blue"], ROWS)
NAMES = np.where(COLOR == "red", "apple", np.where(SIZE > 1000, "melon", "plum"))
TABLE = {"size": SIZE, "color": COLOR, "name": NAMES}
QUICK = {"hidden": [8], "activation": "tanh", "loss": "cross-entropy", "optimizer": "adam"}
QUICK |= {"learning_rate": 0.05, "batch_size": 40, "epochs": 15}
PRICE = 1e5 + 3 * SIZE + np.where(COLOR == "red", 500, 0) + RNG.normal(0, 20, ROWS)


def structured(table):
    kinds = [(name, object if column.dtype.kind == "U" else float) for name, column in table.items()]
    rows = np.empty(ROWS, kinds)
    for name, column in table.items():
        rows[name] = column
    return rows


def pandas(table):
    return pytest.importorskip("pandas").DataFrame(table)


def arrow(table):
    return pytest.importorskip("pyarrow").table(table)


@pytest.mark.parametrize("make", [dict, structured, pandas, arrow])
def test_fit_takes_any_table_and_names_as_labels(make):
    classifier, history = nn.fit(make(TABLE), "name", **QUICK)
    assert history[-1].accuracy > 0.95
    assert classifier.class_names == ("apple", "melon", "plum") and classifier.model.encoder.names == (
        "size",
        "color",
    )
    columns = {"other": np.zeros(ROWS), "color": COLOR, "size": SIZE}
    predicted = classifier.predict(make(columns))
    assert predicted.dtype.kind == "U" and np.mean(predicted == NAMES) > 0.95
    assert np.array_equal(
        classifier.predict_index(columns), np.searchsorted(classifier.class_names, predicted)
    )
    expected = nn.fit(dict(TABLE), "name", **QUICK).classifier.params
    assert all(
        np.array_equal(a[key], b[key]) for a, b in zip(classifier.params, expected, strict=True) for key in a
    )


@pytest.mark.parametrize(
    ("labels", "expected", "kind"),
    [
        (NAMES == "apple", (False, True), "b"),
        (np.where(NAMES == "apple", 1, -1), (-1, 1), "i"),
        (np.searchsorted(["apple", "melon", "plum"], NAMES) + 1, (1, 2, 3), "i"),
        (np.where(NAMES == "apple", 7001.0, 12.0), (12, 7001), "i"),
        (NAMES.astype(object), ("apple", "melon", "plum"), "U"),
    ],
    ids=["booleans", "-1 and 1", "1 to k", "codes", "texts"],
)
def test_labels_of_any_kind_come_back_as_they_are(labels, expected, kind):
    classifier, _ = nn.fit({"size": SIZE, "color": COLOR}, labels, **QUICK)
    assert classifier.model.decoder.labels == expected
    predicted = classifier.predict({"size": SIZE, "color": COLOR})
    assert predicted.dtype.kind == kind and np.mean(predicted == labels) > 0.95


def test_class_numbers_stay_numbers():
    classifier, _ = nn.fit({"size": SIZE}, (SIZE > 1000).astype(int), **QUICK)
    assert classifier.model.decoder.labels is None and classifier.predict({"size": SIZE}).dtype == np.int64


def test_class_weights_go_by_name():
    classifier, _ = nn.fit(TABLE, "name", **QUICK | {"epochs": 1}, class_weights={"plum": 2.0})
    assert classifier.classes == 3
    with pytest.raises(ValueError, match="expected the classes apple, melon.*found class pear"):
        nn.fit(TABLE, "name", **QUICK, class_weights={"pear": 2.0})


def with_missing():
    size, color = SIZE.copy(), COLOR.astype(object)
    size[::7], color[1::9] = np.nan, None
    return {"size": size, "color": color, "name": NAMES}


def test_missing_values_are_an_error_unless_something_is_to_be_done():
    missing_values = len(SIZE[::7]), len(COLOR[1::9])
    both = len(set(range(0, ROWS, 7)) | set(range(1, ROWS, 9)))
    with pytest.raises(ValueError) as message:
        nn.fit(with_missing(), "name", **QUICK)
    assert str(message.value) == (
        f"expected no missing values, found {sum(missing_values)} in {both} rows: 'size' {missing_values[0]}, "
        f"'color' {missing_values[1]}; "
        "missing=mean fills them, missing=drop leaves the rows out"
    )


@pytest.mark.parametrize("missing", ["mean", "zero", "indicator"])
def test_missing_values_are_filled(missing):
    classifier, history = nn.fit(with_missing(), "name", **QUICK | {"missing": missing, "epochs": 25})
    size, color = classifier.model.encoder.columns
    assert size.fill == pytest.approx(
        0.0 if missing == "zero" else np.nanmean(with_missing()["size"]), rel=1e-6
    )
    assert color.fill and size.indicator == color.indicator == (missing == "indicator")
    assert history[-1].accuracy > 0.8 and len(classifier.predict(with_missing())) == ROWS
    x = classifier.model.encoder.encode(np.array([[np.nan, np.nan]], np.float32))
    if missing == "indicator":
        assert x.tolist() == [[0, 1, 0, 0, 0, 0, 1]]
    else:
        assert x.shape == (1, 5) and not x[0, 1:].any()


def test_rows_with_missing_values_are_left_out():
    classifier, history = nn.fit(
        with_missing(), "name", **QUICK | {"missing": "drop", "sample": 1.0, "batch_size": None}
    )
    kept = np.ones(ROWS, bool)
    kept[::7], kept[1::9] = False, False
    assert history[0].rows == kept.sum()
    size = classifier.model.encoder.columns[0]
    assert size.center == pytest.approx(SIZE[kept].mean(), rel=1e-6)
    with pytest.raises(ValueError, match="column 'size': expected a value, found a missing value in row 0"):
        classifier.predict(with_missing())
    with pytest.raises(ValueError, match="missing: drop leaves no rows"):
        nn.fit({"a": np.full(4, np.nan)}, [0, 1, 0, 1], missing="drop")


def test_numbers_may_be_categories_up_to_a_cap():
    codes = np.repeat([3, 10, 7, 99], [100, 80, 50, 10])
    table = {"code": codes, "size": SIZE}
    labels = np.isin(codes, [3, 7])
    classifier, history = nn.fit(table, labels, **QUICK, categorical=["code"], max_categories=3)
    assert classifier.model.encoder.columns[0] == Category("code", ("10", "3", "7"), True)
    assert history[-1].accuracy > 0.95
    with pytest.raises(ValueError, match="categorical: expected a column of the table, found 'cod'"):
        nn.fit(table, labels, categorical=["cod"])
    with pytest.raises(ValueError, match="categorical: an array has no names of columns"):
        nn.fit(np.eye(4), [0, 1, 0, 1], categorical=["0"])


@pytest.mark.parametrize("unknown", ["other", "error"])
def test_a_category_of_no_training_row_is_another_or_an_error(unknown):
    classifier, _ = nn.fit(TABLE, "name", **QUICK, unknown=unknown)
    row = {"size": [1000.0], "color": ["pink"]}
    if unknown == "other":
        assert classifier.predict(row)[0] in classifier.class_names
    else:
        with pytest.raises(
            ValueError, match="column 'color': expected one of 'blue', 'green', 'red', found another"
        ):
            classifier.predict(row)


def test_scales_are_of_the_rows_learned_from():
    options = {**QUICK, "epochs": 1, "validation_fraction": 0.25}
    numbers = np.stack([SIZE, np.arange(ROWS) * 1.0], axis=1)
    model = nn.fit(numbers, NAMES, **options).classifier.model
    held_out = nn.data.hold_out.HoldOut(0, 0.25, ROWS).mask(np.arange(ROWS))
    learned = numbers[~held_out]
    for column, values in zip(model.encoder.columns, learned.T, strict=True):
        assert column.center == pytest.approx(values.mean(), rel=1e-6)
        assert column.scale == pytest.approx(values.std(), rel=1e-6)
    low = nn.fit(numbers, NAMES, scale="minmax", **options).classifier.model.encoder.columns[1]
    assert (low.center, low.scale) == (learned[:, 1].min(), np.ptp(learned[:, 1]))
    largest = nn.fit(numbers, NAMES, scale="largest", **options).classifier.model.encoder
    assert largest == SharedScale(float(np.float32(SIZE.max())))
    assert nn.fit(numbers, NAMES, scale="none", **options).classifier.model.encoder == SharedScale(1.0)


def test_raw_columns_are_learned_as_well_as_standardized_ones():
    raw = np.stack([SIZE * 1e4, (SIZE - 1000) / 1e4, RNG.normal(size=ROWS)], axis=1)
    ready = (raw - raw.mean(axis=0)) / raw.std(axis=0)
    of_raw, of_ready = (nn.fit(rows, SIZE > 1000, **QUICK).history[-1] for rows in (raw, ready))
    assert of_raw.accuracy > 0.97 and abs(of_raw.accuracy - of_ready.accuracy) < 0.02


# ---- regressions ----

REGRESSION = {"task": "regression", "hidden": [8], "activation": "tanh"}
ADAM = {"optimizer": "adam", "learning_rate": 0.03, "batch_size": 40, "epochs": 30}
WAYS = {
    "mini-batches": ADAM,
    "absolute-error": {**ADAM, "loss": "absolute-error"},
    "huber": {**ADAM, "loss": "huber:0.5"},
    "replicas": {**ADAM, "average": "parameters"},
    "l-bfgs": {"optimizer": "l-bfgs", "epochs": 30},
    "bold driver": {"epochs": 200},
    "early stopping": {**ADAM, "validation_fraction": 0.2, "patience": 5, "epochs": 100},
}


def r2(regressor, table, values):
    return 1 - np.sum((regressor.predict(table) - values) ** 2) / np.sum((values - values.mean()) ** 2)


@pytest.mark.parametrize("way", WAYS)
def test_a_regression_learns_values_in_their_unit(way):
    table = {"size": SIZE, "color": COLOR, "price": PRICE}
    regressor, history = nn.fit(table, "price", **REGRESSION, **WAYS[way])
    assert isinstance(regressor, nn.models.classifier.Regressor)
    assert r2(regressor, table, PRICE) > 0.95
    assert all(line.accuracy is None and line.val_accuracy is None for line in history)
    again = nn.fit(table, "price", **REGRESSION, **WAYS[way]).history
    assert [line.cost for line in again] == [line.cost for line in history]


def test_the_target_is_standardized_by_the_rows_learned_from(tmp_path):
    regressor, _ = nn.fit({"size": SIZE}, PRICE, **REGRESSION, validation_fraction=0.25, epochs=1)
    learned = PRICE[~nn.data.hold_out.HoldOut(0, 0.25, ROWS).mask(np.arange(ROWS))]
    assert regressor.model.decoder == TargetScale(float(learned.mean()), float(learned.std()))
    regressor.save(tmp_path / "m.npz")
    again = nn.load(tmp_path / "m.npz")
    assert np.array_equal(again.predict({"size": SIZE}), regressor.predict({"size": SIZE}))


def test_a_row_of_weight_0_is_not_learned():
    wrong = PRICE.copy()
    wrong[::3] += 1e5
    weights = np.ones(ROWS)
    weights[::3] = 0
    regressor, _ = nn.fit({"size": SIZE}, wrong, weights=weights, **REGRESSION, **WAYS["l-bfgs"])
    assert np.abs(regressor.predict({"size": SIZE}) - PRICE).mean() < 300


@pytest.mark.parametrize("labels", [PRICE, PRICE[:, None], PRICE.tolist()], ids=["(n,)", "(n, 1)", "list"])
def test_targets_may_be_a_column(labels):
    assert len(nn.fit({"size": SIZE}, labels, **REGRESSION, epochs=1).history) == 1


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (PRICE, {}, "found .*; measured values are learned with task=.regression."),
        (PRICE[:-1], REGRESSION, "expected 240 values of a target"),
        (
            NAMES,
            REGRESSION,
            "column 'target': expected numbers, found 'apple'|column 'target': expected numbers",
        ),
        (
            np.where(SIZE > 1000, np.nan, 1),
            REGRESSION,
            "expected a value of the target, found a missing value",
        ),
        (np.where(SIZE > 1000, np.inf, 1), REGRESSION, "expected finite numbers within float32, found inf"),
        (
            PRICE,
            {**REGRESSION, "loss": "cross-entropy"},
            "loss cross-entropy and task=regression exclude each other",
        ),
        (
            PRICE,
            {**REGRESSION, "class_weights": "balanced"},
            "class_weights and task=regression exclude each other",
        ),
        (NAMES, {"loss": "huber"}, "loss huber needs task=regression"),
    ],
)
def test_labels_of_the_other_task_are_refused(labels, options, message):
    with pytest.raises(ValueError, match=message):
        nn.fit({"size": SIZE}, labels, **options)


def test_a_constant_target_is_predicted():
    regressor, _ = nn.fit({"size": SIZE}, np.full(ROWS, 7.0), **REGRESSION, **ADAM)
    assert np.allclose(regressor.predict({"size": SIZE}), 7.0, atol=0.05)


def test_an_encoder_of_numbers_and_categories_is_that_of_scikit_learn():
    compose = pytest.importorskip("sklearn.compose")
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    rows = np.array(list(zip(SIZE, COLOR, strict=True)), object)
    theirs = compose.ColumnTransformer(
        [("n", preprocessing.StandardScaler(), [0]), ("c", preprocessing.OneHotEncoder(), [1])],
        sparse_threshold=0,
    ).fit_transform(rows)
    model = nn.fit(TABLE, "name", **QUICK | {"epochs": 1, "unknown": "error"}).classifier.model
    assert isinstance(model.encoder, TableEncoder) and isinstance(model.encoder.columns[0], Number)
    ours = model.prepare(nn.data.tables.pack_for(model.encoder, TABLE))
    assert np.abs(ours - theirs.astype(np.float64)).max() < 1e-6


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([0.0, float("inf"), 1.0], "labels, row 1: expected a class, found inf"),
        (np.array([0.5, 1, None], object), "labels, row 2: expected a label, found a missing value"),
        (np.array([1, 0.5, 1], object), "labels, row 1: expected a class, found 0.5"),
        (np.array(["2024-01-01"] * 3, "M8[D]"), "labels: expected numbers or categories, found dates"),
        (np.ma.array([0, 1, 1], mask=[0, 1, 0]), "labels, row 1: expected a label, found a missing value"),
        (["a\n\x1b[31m"] * 3, r"at least 2 classes, found class a\\n\\x1b\[31m alone"),
        ([0, 1, 10**40], "column .labels.: expected finite numbers within float32, found 1e"),
    ],
)
def test_labels_that_are_none_are_refused_with_their_row(labels, message):
    with pytest.raises(ValueError, match=message):
        nn.fit({"size": [1, 2, 3]}, labels, **QUICK)


def test_labels_of_many_digits_are_different_classes():
    labels = np.array([2**53, 2**53 + 1] * 20)
    classifier, _ = nn.fit({"size": np.arange(40.0)}, labels, **QUICK)
    assert classifier.model.decoder.labels == (2**53, 2**53 + 1)


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_table_without_rows_is_refused(task):
    with pytest.raises(ValueError, match="expected rows, found none in the table"):
        nn.fit({"a": []}, [], task=task)


def test_a_class_of_rows_that_are_left_out_alone_stays_a_class(tmp_path):
    table = {"x": [1, 2, 3, 4, np.nan, 6] * 5}
    fit = nn.fit(table, ["a", "b", "a", "b", "c", "a"] * 5, missing="drop", epochs=2)
    fit.classifier.save(tmp_path / "model.npz")
    again = nn.load(tmp_path / "model.npz")
    assert again.class_names == ("a", "b", "c") and again.predict_proba({"x": [1.0]}).shape == (1, 3)


def test_an_array_keeps_the_digits_of_large_numbers_as_a_table_does():
    times, late = 1.6e9 + np.arange(400) / 10, np.arange(400) >= 200
    in_table = nn.fit({"0": times}, late, epochs=30)
    in_array = nn.fit(times[:, None], late, epochs=30)
    assert in_array.history[-1].accuracy == in_table.history[-1].accuracy > 0.9
    assert np.array_equal(
        in_array.classifier.predict(times[:, None]), in_table.classifier.predict({"0": times})
    )
    onwards = nn.fit(times[:, None], late, epochs=2, start_from=in_array.classifier)
    assert onwards.history[0].accuracy > 0.9


def test_categorical_columns_are_numbered_as_in_the_file_or_named_by_a_pattern():
    table = {"y": [0, 1] * 20, "a": [1, 2] * 20, "b": [3, 4] * 20, "b2": [5, 6] * 20}

    def kinds(*references):
        encoder = nn.fit(table, "y", categorical=list(references), epochs=1).classifier.model.encoder
        return [column.name for column in encoder.columns if hasattr(column, "values")]

    assert kinds(1) == ["a"] and kinds(-1) == ["b2"] and kinds("b*") == ["b", "b2"]
    with pytest.raises(ValueError, match="categorical"):
        kinds("z*")


@pytest.mark.parametrize("labels", [np.array([b"a", b"b"] * 4), np.arange(8) % 2 + 1j])
def test_labels_of_bytes_and_complex_numbers_are_refused(labels):
    with pytest.raises(ValueError, match="labels: expected numbers, booleans or strings"):
        nn.fit({"x": np.arange(8)}, labels)
