"""The network in the report page: JavaScript that gives what NumPy gives, and what is not computed says so."""

import json

import numpy as np
import pytest

import nn
from nn.data.decoding import ClassLabels, TargetScale
from nn.data.encoding import Category, Number, SharedScale, TableEncoder
from nn.layers import ACTIVATIONS, LAYERS, layer_from_config
from nn.models.classifier import predictor
from nn.models.losses import LOSSES
from nn.models.regression_losses import REGRESSION_LOSSES
from nn.models.sequential import Sequential
from nn.plotting.report import layers as page_layers
from nn.plotting.report.network import network_of, packed
from nn.plotting.textfiles import BadFileError
from tests.support import ROOT
from tests.support.drawn_digits import DIGITS
from tests.support.javascript import evaluate

SIDE = 8
IMAGE = (SIDE, SIDE, 1)
DENSE = [f"dense:6,{activation},dense:5" for activation in ACTIVATIONS]
IMAGES = [
    "conv2d:3x3,relu,maxpool2d:2,flatten,dense:5",
    "conv2d:3x5x2:stride=2x3:padding=same,tanh,averagepool2d:3x2:stride=1x2:padding=same,flatten,dropout:0.5,dense:5",
    "conv2d:4x3:padding=same,leaky_relu:0.2,maxpool2d:3:stride=2:padding=same,conv2d:2x2,globalaveragepool2d,dense:5",
    "averagepool2d:2,elu:0.5,flatten,dense:5",
]


def save(tmp_path, words, shape, loss="cross-entropy", encoder=None, decoder=None, seed=3):
    """(path of a model file, the predictor): random weights, also of biases."""
    registry = REGRESSION_LOSSES if isinstance(decoder, TargetScale) else LOSSES
    layers = tuple(map(layer_from_config, words.split(",")))
    model = Sequential(
        layers, shape, registry[loss](), encoder or SharedScale(255.0), decoder or ClassLabels()
    )
    rng = np.random.default_rng(seed)
    params = [
        {key: (value + rng.normal(0, 0.3, value.shape)).astype(np.float32) for key, value in layer.items()}
        for layer in model.init(0)
    ]
    made = predictor(model, params)
    made.save(tmp_path / "model.npz")
    return tmp_path / "model.npz", made


def answers(path, rows, is_table=False):
    """What the page's network answers to rows of values."""
    network = json.loads(json.dumps(network_of(path, is_table)))
    assert network["reason"] is None
    call = (
        "unpack(value.network.live).then((network) =>"
        " value.rows.map((row) => answer(network, encode(network, value.network.columns, row))))"
    )
    return evaluate(call, {"network": network, "rows": rows})


def probabilities(path, rows, **options):
    return np.array([answer["probabilities"] for answer in answers(path, rows, **options)])


@pytest.mark.parametrize("words", DENSE + IMAGES)
def test_a_network_of_images_gives_what_numpy_gives(tmp_path, words):
    path, classifier = save(tmp_path, words, IMAGE if words in IMAGES else (SIDE * SIDE,))
    rows = np.random.default_rng(1).integers(0, 256, (6, SIDE * SIDE))
    expected = classifier.predict_proba(rows.reshape(-1, *classifier.model.input_shape))
    assert np.abs(probabilities(path, rows.tolist()) - expected).max() < 1e-5
    assert len(np.unique(expected.argmax(axis=1))) > 1 or np.ptp(expected, axis=0).max() > 0.01


@pytest.mark.parametrize(("loss", "units"), [("mse", 3), ("cross-entropy", 3), ("binary-cross-entropy", 1)])
def test_probabilities_are_those_of_the_loss(tmp_path, loss, units):
    path, classifier = save(tmp_path, f"dense:{units}", (SIDE * SIDE,), loss)
    rows = np.random.default_rng(2).integers(0, 256, (9, SIDE * SIDE))
    found = answers(path, rows.tolist())
    assert (
        np.abs(np.array([one["probabilities"] for one in found]) - classifier.predict_proba(rows)).max()
        < 1e-5
    )
    assert [one["best"] for one in found] == classifier.predict_index(rows).tolist()


COLUMNS = (
    Number("age", 1900.0, 42.5, 12.25, 40.0, True),
    Category("city", ("Rome", "</script>", "a b"), True, True, True),
    Number("spent", 0.0, -3.0, 1e-3),
    Category("kind", ("x", "y"), False),
)
ROWS = {
    "age": [1912.5, np.nan, 2e4, 1942.5],
    "city": ["Rome", None, "</script>", "Paris"],
    "spent": [0.25, -3.0, -2.999, 1e-4],
    "kind": ["x", "y", "y", "x"],
}


def table_rows():
    """The rows as the page's form gives them: null for a gap."""
    columns = [
        [None if value is None or value != value else value for value in column] for column in ROWS.values()
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def test_a_table_is_encoded_as_the_model_encodes_it(tmp_path):
    encoder = TableEncoder(COLUMNS)
    labels = ClassLabels(("no", "<b>yes</b>"))
    path, classifier = save(
        tmp_path, "dense:7,relu,dense:2", (encoder.width,), "cross-entropy", encoder, labels
    )
    found = probabilities(path, table_rows(), is_table=True)
    assert np.abs(found - classifier.predict_proba(ROWS)).max() < 1e-5


def test_a_regression_gives_values_in_the_unit_of_its_target(tmp_path):
    encoder, target = TableEncoder(COLUMNS), TargetScale(250.0, 80.0)
    path, regressor = save(tmp_path, "dense:7,tanh,dense:1", (encoder.width,), "mse", encoder, target)
    found = [answer["value"] for answer in answers(path, table_rows(), is_table=True)]
    assert np.allclose(found, regressor.predict(ROWS), atol=80 * 1e-5, rtol=1e-6)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (0, None),
        (1, None),
        (2, "spent: a value is needed"),
        (3, "kind: a value is needed"),
    ],
)
def test_a_gap_is_an_error_where_the_model_refuses_it(tmp_path, column, message):
    encoder = TableEncoder(COLUMNS)
    path, _ = save(tmp_path, "dense:2", (encoder.width,), "cross-entropy", encoder)
    row = table_rows()[0]
    row[column] = None
    call = "encode({}, value.columns, value.row); return null; } catch (error) { return error.message; }"
    assert (
        evaluate(f"(() => {{ try {{ {call} }})()", {"columns": network_of(path, True)["columns"], "row": row})
        == message
    )


def test_the_page_computes_all_layers_but_two():
    known = {*page_layers.ELEMENTWISE, *page_layers.LAYERS}
    assert set(LAYERS) - known == {"layernorm", "residual"} and known <= set(LAYERS)


@pytest.mark.parametrize(
    ("words", "shape", "reason"),
    [
        ("dense:4,layernorm,dense:3", (64,), "the page does not compute the layer layernorm"),
        ("flatten,dense:3", (6, 8, 1), "images of 6 x 8 x 1 cannot be drawn here: only gray squares"),
        ("flatten,dense:3", (8, 8, 3), "images of 8 x 8 x 3 cannot be drawn here: only gray squares"),
        ("dense:3", (300,), "a form has at most 200 columns, the model has 300"),
        ("dense:1300,dense:3", (1024,), "the model has 5.3 MB, and the page computes with at most 5"),
    ],
)
def test_a_network_that_is_not_computed_says_why(tmp_path, words, shape, reason):
    path, _ = save(tmp_path, words, shape)
    network = network_of(path, False)
    assert network["columns"] is network["table"] is None
    assert (network["live"], network["reason"]) == (None, reason)
    assert network["parameters"] == sum(
        array.size for layer in nn.load(path).params for array in layer.values()
    )


def test_of_many_columns_some_are_listed(tmp_path):
    encoder = TableEncoder(tuple(Number(f"c{i}") for i in range(600)))
    path, _ = save(tmp_path, "dense:2", (600,), "cross-entropy", encoder)
    network = network_of(path, True)
    assert len(network["columns"]) == 500 and network["table"] == {"columns": 600, "inputs": 600}


@pytest.mark.parametrize("value", ["steep", float("nan"), None])
def test_a_slope_that_is_no_number_is_an_error(tmp_path, value):
    path, _ = save(tmp_path, "dense:3,leaky_relu,dense:2", (64,))
    arrays = dict(np.load(path))
    config = json.loads(str(arrays["config"]))
    config["layers"][1]["slope"] = value
    np.savez(path, **{**arrays, "config": np.array(json.dumps(config))})
    with pytest.raises(BadFileError, match="expected a finite number at \\['layers'\\]\\[1\\]\\['slope'\\]"):
        network_of(path, False)


def test_layers_are_named_with_their_output_and_parameters(tmp_path):
    path, _ = save(tmp_path, IMAGES[1], IMAGE)
    layers = network_of(path, False)["layers"]
    assert layers[0] == {
        "word": "conv2d, filters 3, kernel 5 x 2, stride 2 x 3, padding same",
        "parameters": 33,
        "output": [4, 3, 3],
    }
    model = nn.load(path).model
    assert [tuple(layer["output"]) for layer in layers] == model.output_shapes()


def test_weights_that_do_not_fit_the_layers_are_an_error(tmp_path):
    path, classifier = save(tmp_path, "dense:4", (64,))
    arrays = dict(np.load(path))
    np.savez(path, **{**arrays, "0.W": np.zeros((64, 3), np.float32)})
    with pytest.raises(BadFileError, match=r"model.npz: expected numbers of shape \(64, 4\) in '0.W', found"):
        network_of(path, False)
    del arrays["0.b"]
    np.savez(path, **arrays)
    with pytest.raises(BadFileError, match=r"model.npz: expected an array named '0.b'"):
        network_of(path, False)


@pytest.mark.parametrize(
    ("field", "value"), [("stride", 0), ("kernel", [9, 9]), ("padding", "full"), ("filters", -1)]
)
def test_sizes_that_the_page_would_not_end_with_are_an_error(tmp_path, field, value):
    path, _ = save(tmp_path, IMAGES[0], IMAGE)
    arrays = dict(np.load(path))
    config = json.loads(str(arrays["config"]))
    config["layers"][0][field] = value
    np.savez(path, **{**arrays, "config": np.array(json.dumps(config))})
    with pytest.raises(BadFileError, match="model.npz"):
        network_of(path, False)


def test_packed_numbers_take_less_room_than_as_they_are():
    numbers = np.random.default_rng(0).normal(0, 0.1, 50_000).astype(np.float32)
    text = packed(numbers)
    assert len(text) < 0.84 * 50_000 * 4 * 4 / 3  # base64 of the numbers
    assert not set(text) & set('<>&"\\')


@pytest.mark.parametrize("count", range(1, 9))
def test_numbers_of_any_count_are_unpacked_to_the_bit(tmp_path, count):
    numbers = np.random.default_rng(count).normal(0, 1e3, count).astype(np.float32)
    live = {"layers": [{}], "arrays": [[0, "b", [count]]], "weights": packed(numbers)}
    found = evaluate("unpack(value).then((network) => Array.from(network.params[0].b))", live)
    assert np.array(found, np.float32).tolist() == numbers.tolist()


# ---- strokes ----


def image_of(strokes, side=28):
    points = [[{"x": x, "y": y} for x, y in stroke] for stroke in strokes]
    return np.array(evaluate(f"Array.from(imageOf(value, {side}))", points)).reshape(side, side)


@pytest.mark.parametrize("place", [(0.1, 0.1, 0.2), (0.5, 0.3, 0.4), (0.0, 0.0, 1.0)])
def test_a_drawing_is_scaled_and_centered_as_digits_of_mnist_are(place):
    left, top, size = place
    corners = [(0, 0), (0.6, 0), (0.6, 0.5), (0.1, 1)]
    image = image_of([[(left + x * size, top + y * size) for x, y in corners]])
    rows, columns = np.flatnonzero(image.max(axis=1) > 0.5), np.flatnonzero(image.max(axis=0) > 0.5)
    assert 19 <= rows[-1] - rows[0] + 1 <= 21 and columns[-1] - columns[0] + 1 < 16
    places = np.arange(28) + 0.5
    middle = [(image.sum(axis=axis) * places).sum() / image.sum() for axis in (0, 1)]
    assert np.allclose(middle, 14.5, atol=0.3)
    assert image.max() == 1 and image.min() == 0


def test_a_dot_stays_a_dot_and_nothing_stays_empty():
    dot = image_of([[(0.9, 0.9)]])
    assert 2 < dot.sum() < 16 and image_of([]).sum() == 0


def test_drawn_digits_are_told_by_a_network_that_mnist_trained():
    network = network_of(ROOT / "docs" / "local_test" / "OUTPUT" / "model.npz", False)
    strokes = [[[{"x": x, "y": y} for x, y in stroke] for stroke in digit] for digit in DIGITS.values()]
    call = (
        "unpack(value.network.live).then((network) => value.strokes.map((strokes) =>"
        " answer(network, encode(network, null, imageOf(strokes, 28).map((ink) => 255 * ink)))))"
    )
    found = evaluate(call, {"network": network, "strokes": strokes})
    assert [answer["best"] for answer in found] == list(DIGITS)
