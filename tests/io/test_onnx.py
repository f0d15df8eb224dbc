"""A model exported to ONNX predicts in onnxruntime what it predicts in NumPy."""

import json
import re
import sys

import numpy as np
import pytest

import nn
from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import Category, Number, SharedScale, TableEncoder
from nn.io.onnx_columns import are_numbers
from nn.io.onnx_layers import LAYERS as WRITERS
from nn.io.onnx_layers import LOSSES as WRITERS_OF_LOSSES
from nn.layers import LAYERS, Dense, Flatten, MaxPool2D, Relu, Softplus
from nn.models.builder import build_network
from nn.models.classifier import predictor
from nn.models.losses import LOSSES, BinaryCrossEntropy, CrossEntropy, HalfSquaredError
from nn.models.regression_losses import REGRESSION_LOSSES, SquaredError
from nn.models.sequential import Sequential
from nn.training.recipe import Recipe
from tests.layers.test_layers import IDS, TABLE
from tests.support import ROOT

WITHIN = {"rtol": 1e-5, "atol": 1e-5}


def test_every_layer_and_every_loss_of_classes_has_a_form_in_onnx():
    assert set(WRITERS) == set(LAYERS.values())
    assert set(WRITERS_OF_LOSSES) == set(LOSSES.values())


def test_categories_are_numbers_where_each_is_the_name_of_a_number():
    assert are_numbers(("-1", "0", "2.5", "10"))
    for texts in (("1", "a"), ("01",), ("1.0",), ("nan",), ("inf",), ("9007199254740993",), ("1_0",), ()):
        assert not are_numbers(texts)


def test_without_the_package_onnx_one_line_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match="nn.to_onnx needs the package onnx .*pip install onnx$"):
        nn.to_onnx(trained((Dense(2),), (3,)), tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


# ---- what follows needs onnx and onnxruntime ----


@pytest.fixture
def run(tmp_path):
    """A function (model, rows) -> the outputs of onnxruntime by name; rows are an array or a table."""
    pytest.importorskip("onnx")
    onnxruntime = pytest.importorskip("onnxruntime")

    def run(model, rows, **options):
        nn.to_onnx(model, tmp_path / "model.onnx", **options)
        session = onnxruntime.InferenceSession(tmp_path / "model.onnx", providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, feed_of(session.get_inputs(), rows)), strict=True))

    return run


def feed_of(inputs, rows):
    """Each input of a session with its column of a table, (n, 1), or with all rows."""
    if not isinstance(rows, dict):
        types = {"tensor(float)": np.float32, "tensor(double)": np.float64}
        return {inputs[0].name: np.asarray(rows).astype(types[inputs[0].type])}
    feed = {}
    for value in inputs:
        column = rows[value.name]
        if value.type == "tensor(string)":
            feed[value.name] = np.array(["" if cell is None else cell for cell in column], object)[:, None]
        else:
            numbers = np.array([np.nan if cell is None else cell for cell in column], np.float64)
            feed[value.name] = numbers.reshape(len(column), value.shape[1])
    return feed


def trained(layers, shape, loss=None, encoder=None, decoder=None):
    """A network whose parameters are all drawn, biases and gains too."""
    model = Sequential(
        tuple(layers), shape, loss or CrossEntropy(), encoder or SharedScale(), decoder or ClassLabels()
    )
    rng = np.random.default_rng(1)
    params = [
        {name: (value + rng.normal(0, 0.5, value.shape)).astype(np.float32) for name, value in layer.items()}
        for layer in model.init(0)
    ]
    return predictor(model, params)


def same(found, model, rows):
    """Both give the same labels and probabilities, or the same values."""
    if "prediction" in found:
        np.testing.assert_allclose(found["prediction"], model.predict(rows), **WITHIN)
        assert found["prediction"].dtype == np.float64
        return
    labels = model.predict(rows)
    assert found["label"].tolist() == labels.tolist()
    assert found["label"].dtype.kind == {"U": "O"}.get(labels.dtype.kind, labels.dtype.kind)
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(rows), **WITHIN)


@pytest.mark.parametrize(("layer", "shape"), TABLE, ids=IDS)
def test_layer_gives_the_same_outputs(run, layer, shape):
    after = layer.shapes(shape)[1]
    rest = (Dense(1),) if len(after) == 1 else (Flatten(), Dense(1))
    model = trained((layer, *rest), shape, SquaredError(), decoder=TargetScale())
    rows = 3 * np.random.default_rng(2).normal(size=(5, int(np.prod(shape)))).astype(np.float32)
    same(run(model, rows), model, rows)


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("size", [(5, 5, 1), (4, 7, 3), (2, 9, 2)])
def test_same_padding_is_that_of_the_layers(run, size, stride):
    for word in (
        f"conv2d:2x3:stride={stride}",
        f"maxpool2d:2:stride={stride}",
        f"averagepool2d:3:stride={stride}",
    ):
        layers = (nn.layers.layer_from_config(f"{word}:padding=same"), Flatten(), Dense(1))
        model = trained(layers, size, SquaredError(), decoder=TargetScale())
        rows = np.random.default_rng(3).normal(size=(2, int(np.prod(size)))).astype(np.float32)
        same(run(model, rows), model, rows)


@pytest.mark.parametrize("loss", [*LOSSES.values()], ids=lambda loss: loss.name)
def test_loss_gives_the_same_classes_and_probabilities(run, loss):
    model = trained((Dense(1 if loss is BinaryCrossEntropy else 4),), (3,), loss())
    rows = np.random.default_rng(4).normal(0, 3, (200, 3)).astype(np.float32)
    found = run(model, rows)
    same(found, model, rows)
    assert found["label"].dtype == np.int64 and len(np.unique(found["label"])) > 1


def test_outputs_of_zero_are_equal_shares_of_half_squared_error(run):
    model = predictor(
        Sequential((Dense(4), Relu()), (3,), HalfSquaredError()),
        [{"W": np.zeros((3, 4), np.float32), "b": np.zeros(4, np.float32)}, {}],
    )
    assert run(model, np.ones((2, 3)))["probabilities"].tolist() == [[0.25] * 4] * 2


@pytest.mark.parametrize("loss", [*REGRESSION_LOSSES.values()], ids=lambda loss: loss.name)
def test_regression_gives_values_in_the_unit_of_the_target(run, loss):
    model = trained((Dense(1),), (3,), loss(), decoder=TargetScale(1e6, 250.0))
    rows = np.random.default_rng(4).normal(size=(20, 3)).astype(np.float32)
    found = run(model, rows)
    same(found, model, rows)
    assert list(found) == ["prediction"] and found["prediction"].shape == (20,)


@pytest.mark.parametrize(
    "labels", [("no", "yes", "Zürich"), (-1, 1, 7), (0.5, 1, 2.5), ("", "\n", "a\0")], ids=str
)
def test_labels_come_out_as_the_user_has_them(run, labels):
    network = Sequential((Dense(3),), (3,), decoder=ClassLabels(labels))
    model = predictor(network, [{"W": np.eye(3, dtype=np.float32), "b": np.zeros(3, np.float32)}])
    found = run(model, np.eye(3))
    same(found, model, np.eye(3))
    assert found["label"].tolist() == [*labels]


def test_labels_may_be_true_and_false(run):
    model = trained((Dense(1),), (2,), BinaryCrossEntropy(), decoder=ClassLabels((False, True)))
    rows = np.random.default_rng(5).normal(size=(60, 2)).astype(np.float32)
    same(run(model, rows), model, rows)


# ---- columns ----


def table(rows=90):
    rng = np.random.default_rng(6)
    cells = {
        "year": rng.normal(0, 1e5, rows) + 1.7e9,  # float32 alone would keep steps of 128
        "age": rng.integers(1, 90, rows).astype(float),
        "income": rng.normal(3e4, 9e3, rows),
        "city": rng.choice(["Lima", "Rome", "Zürich", 'O\'Fallon, "MO"'], rows),
        "code": rng.choice([1.0, 2.5, 30.0], rows),
    }
    columns = {name: [*values.tolist()] for name, values in cells.items()}
    labels = np.where(cells["age"] > 40, "old", np.where(cells["city"] == "Rome", "Roman", "young"))
    return columns, labels.tolist()


def with_missing(columns):
    return {
        name: [None if (row + place) % 7 == 0 else value for row, value in enumerate(values)]
        for place, (name, values) in enumerate(columns.items())
    }


def fitted(columns, labels, **options):
    options = {"epochs": 2, "loss": "cross-entropy", "hidden": 6, "categorical": ["code"], **options}
    return nn.fit(columns, labels, **options).classifier


@pytest.mark.parametrize("missing", ["error", "mean", "zero", "indicator", "drop"])
@pytest.mark.parametrize("scale", ["standard", "minmax", "largest", "none"])
def test_columns_are_encoded_in_the_graph(run, scale, missing):
    columns, labels = table()
    if scale in ("largest", "none"):
        del columns["year"]
        columns["income"] = [value / 1e3 for value in columns["income"]]
    is_filled = missing in ("mean", "zero", "indicator")
    model = fitted(with_missing(columns) if is_filled else columns, labels, scale=scale, missing=missing)
    asked = with_missing(columns) if is_filled else columns
    asked["city"] = ["Lima", *asked["city"][1:-1], "Atlantis"]  # the last is in no row that was learned from
    asked["code"] = [99, *asked["code"][1:]]
    same(run(model, asked), model, asked)


def test_inputs_of_the_network_have_the_same_bits(run):
    columns, labels = table()
    model = fitted(with_missing(columns), labels, missing="indicator")
    # A network that gives one of its inputs after the other as its value.
    encoder = model.model.encoder
    x = encoder.encode(nn.data.tables.pack_for(encoder, with_missing(columns)))
    for column in range(encoder.width):
        W = np.zeros((encoder.width, 1), np.float32)
        W[column] = 1
        network = Sequential((Dense(1),), (encoder.width,), SquaredError(), encoder, TargetScale())
        found = run(predictor(network, [{"W": W, "b": np.zeros(1, np.float32)}]), with_missing(columns))
        assert found["prediction"].tolist() == x[:, column].tolist()


def test_unknown_categories_and_missing_values_have_inputs_of_their_own(run):
    columns, labels = table()
    model = fitted(with_missing(columns), labels, missing="indicator")
    row = {name: values[0] for name, values in columns.items()}
    for name, cells in (("city", ["Rome", "Atlantis", None]), ("code", [2.5, 99, None])):
        asked = {other: [value] * 3 for other, value in row.items()} | {name: cells}
        found = run(model, asked)
        same(found, model, asked)
        assert len(np.unique(found["probabilities"], axis=0)) == 3


def test_rows_that_predict_refuses_give_nan(run):
    encoder = TableEncoder(
        (Number("size"), Category("color", ("blue", "red"), other=False), Category("code", ("1",)))
    )
    # relu and max pooling lose NaN in some programs
    model = trained((Dense(4), Relu(), Dense(2)), (5,), encoder=encoder)
    good = {"size": 1.0, "color": "red", "code": 1.0}
    bad = {"size": [None, np.inf, 1e39], "color": [None, "green"], "code": [None]}
    rows = {name: [cell] for name, cell in good.items()}
    for name, cells in bad.items():
        for other in rows:
            rows[other] += cells if other == name else [good[other]] * len(cells)
    found = run(model, rows)["probabilities"]
    assert np.isfinite(found[0]).all() and np.isnan(found[1:]).all()
    image = trained((MaxPool2D(), Softplus(), Flatten(), Dense(2)), (4, 4, 1))
    pixels = np.ones((2, 16), np.float32)
    pixels[1, 3] = np.nan
    assert np.isnan(run(image, pixels)["probabilities"]).any(axis=1).tolist() == [False, True]


def test_text_of_no_letters_is_a_missing_value_unless_it_is_a_category(run):
    model = trained((Dense(2),), (3,), encoder=TableEncoder((Category("a", ("", "b"), fill=True),)))
    asked = {"a": ["", "b", "c"]}
    same(run(model, asked), model, asked)


def test_column_with_the_name_of_an_output_gets_another(run, tmp_path):
    columns = [Number("label"), Number(""), Number("label"), Number("\udc00x")]
    model = trained((Dense(2),), (4,), encoder=TableEncoder(tuple(columns)))
    rows = np.random.default_rng(7).normal(size=(4, 4))
    names = ["label_2", "unnamed", "label_3", "\\udc00x"]
    found = run(model, dict(zip(names, rows.T.tolist(), strict=True)))
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(rows), **WITHIN)


def test_columns_of_an_array_are_one_input(run):
    names = ["a", "v[0]", "v[1]", "v[2]", "w[1]"]
    model = trained((Dense(2),), (5,), encoder=TableEncoder(tuple(map(Number, names))))
    rows = np.random.default_rng(8).normal(size=(6, 5))
    found = run(model, {"a": rows[:, 0], "v": rows[:, 1:4], "w[1]": rows[:, 4]})
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(rows), **WITHIN)


def test_all_columns_of_numbers_may_be_one_input(run):
    for encoder in (
        SharedScale(3.0, ("a", "b")),
        TableEncoder((Number("a", 1e9, 2.0, 3.0), Number("b", fill=4.0))),
    ):
        model = trained((Dense(2),), (2,), encoder=encoder)
        rows = np.random.default_rng(9).normal(size=(6, 2))
        rows[:, 0] += isinstance(encoder, TableEncoder) * 1e9
        named = {"a": rows[:, 0].tolist(), "b": rows[:, 1].tolist()}
        same(run(model, named), model, rows)
        same(run(model, rows, one_input=True), model, rows)
    unnamed = trained((Dense(2),), (2,), encoder=SharedScale(3.0))
    cells = np.random.default_rng(9).normal(size=(6, 2))
    same(run(unnamed, {"0": cells[:, 0], "1": cells[:, 1]}, one_input=False), unnamed, cells)
    mixed = trained((Dense(2),), (3,), encoder=TableEncoder((Category("a", ("x", "y")),)))
    with pytest.raises(ValueError, match="one_input: expected a model of numbers alone"):
        run(mixed, rows, one_input=True)


@pytest.mark.parametrize("rows", [0, 1, 2000])
def test_any_number_of_rows_will_do(run, rows):
    columns, labels = table()
    model = fitted(columns, labels, missing="mean")
    asked = {name: (values * 30)[:rows] for name, values in columns.items()}
    found = run(model, asked)
    assert found["probabilities"].shape == (rows, 3)
    if rows:
        same(found, model, asked)


# ---- whole models ----


def test_recipe_of_convolutions_predicts_the_same(run):
    recipe = Recipe.read(str(ROOT / "recipes" / "cnn.json"))
    network = build_network(recipe.hidden_layers, (28, 28, 1), 10, recipe.loss, SharedScale(255.0))
    model = predictor(network, network.init(3))
    pixels = np.random.default_rng(10).integers(0, 256, (32, 784)).astype(np.uint8)
    same(run(model, pixels), model, pixels)


def test_saved_model_is_exported_as_it_was(run, tmp_path):
    columns, labels = table()
    model = fitted(columns, labels)
    model.save(tmp_path / "model.npz")
    same(run(nn.load(tmp_path / "model.npz"), columns), model, columns)


def test_file_says_what_it_is_and_is_the_same_each_time(run, tmp_path):
    onnx = pytest.importorskip("onnx")
    columns, labels = table()
    model = fitted(columns, labels)
    contents = []
    for name in ("one.onnx", "two.onnx"):
        nn.to_onnx(model, tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    found = onnx.load(tmp_path / "one.onnx")
    assert {opset.domain: opset.version for opset in found.opset_import} == {"": 13, "ai.onnx.ml": 2}
    about = {entry.key: json.loads(entry.value) for entry in found.metadata_props}
    assert about == {"columns": list(columns), "class_names": ["Roman", "old", "young"]}
    assert {tensor.name for tensor in found.graph.initializer} >= {"0.W", "0.b", "2.W", "2.b"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.onnx", "two.onnx"]


def test_another_program_of_onnx_agrees(tmp_path):
    pytest.importorskip("onnx")
    reference = pytest.importorskip("onnx.reference")
    columns, labels = table(30)
    model = fitted(with_missing(columns), labels, missing="indicator")
    nn.to_onnx(model, tmp_path / "model.onnx")
    program = reference.ReferenceEvaluator(str(tmp_path / "model.onnx"))
    cells = with_missing(columns)
    feed = {
        name: np.array([["" if cell is None else cell] for cell in values])
        if name == "city"
        else np.array(values, np.float64)[:, None]
        for name, values in cells.items()
    }
    label, probabilities = program.run(None, feed)
    same({"label": np.array(label, object), "probabilities": probabilities}, model, cells)


def test_what_onnx_cannot_hold_is_told(run, monkeypatch):
    class Mine(Relu):
        name = "mine"

    class Loss(CrossEntropy):
        name = "my-loss"

    rows = np.zeros((1, 2))
    with pytest.raises(ValueError, match="layer 1 mine: it has no form in ONNX"):
        run(trained((Mine(), Dense(2)), (2,)), rows)
    with pytest.raises(ValueError, match="loss my-loss: it has no form in ONNX"):
        run(trained((Dense(2),), (2,), Loss()), rows)
    with pytest.raises(
        ValueError, match="expected whole numbers within int64, found one of size 922337203685"
    ):
        run(trained((Dense(2),), (2,), decoder=ClassLabels((1, 2**63))), rows)
    with pytest.raises(ValueError, match="expected a Classifier or a Regressor, found Sequential"):
        run(trained((Dense(2),), (2,)).model, rows)
    monkeypatch.setattr(nn.io.onnx, "LARGEST", 8)
    with pytest.raises(ValueError, match="expected a network of at most 8 bytes for a file of ONNX, found"):
        run(trained((Dense(2),), (2,)), rows)


# ---- docs/scoring.md ----


def code_of(heading):
    """The blocks of Python code below a heading of the page."""
    section = (
        (ROOT / "docs" / "scoring.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    )
    return re.findall(r"^```python\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def test_lines_of_the_docs_export_and_predict(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(11)
    customers = {
        "age": rng.integers(18, 90, 80).astype(float),
        "income": rng.normal(4e4, 1e4, 80),
        "city": rng.choice(["Lima", "Rome", "Oslo"], 80),
        "visits": rng.integers(0, 9, 80),
        "member": rng.choice(["true", "false"], 80),
    }
    bought = np.where(customers["income"] > 4e4, "yes", "no")
    model = nn.fit(customers, bought, epochs=3, loss="cross-entropy", missing="indicator").classifier
    (tmp_path / "runs" / "customers").mkdir(parents=True)
    model.save("runs/customers/model.npz")
    names = {}
    for code in code_of("In ONNX"):
        exec(code, names)
    people = {name: cells[:, 0] for name, cells in names["people"].items()}
    same({name: names[name] for name in ("label", "probabilities")}, model, people)


def test_lines_of_the_docs_carry_a_network_to_pytorch(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "runs" / "first").mkdir(parents=True)
    layers = [
        nn.layers.layer_from_config(word) for word in ("dense:9", "relu", "dropout:0.5", "dense:4", "tanh")
    ]
    model = trained((*layers, Dense(3), LAYERS["sigmoid"]()), (6,), HalfSquaredError(), SharedScale(255.0))
    model.save("runs/first/model.npz")
    (code,) = code_of("In PyTorch")
    names = {}
    exec(code, names)
    names["images"] = np.random.default_rng(12).integers(0, 256, (20, 6)).astype(np.uint8)
    text = (ROOT / "docs" / "scoring.md").read_text()
    expression = re.search(r"`(network\(.*?\))` are the outputs", text)[1]
    outputs = eval(expression, names)
    expected = model.model.forward(model.params, names["images"])
    torch.testing.assert_close(outputs, torch.from_numpy(expected), rtol=1e-5, atol=1e-5)
