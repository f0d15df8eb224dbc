"""Model files: exact round trips, readable by NumPy, nothing pickled, one-line errors."""

import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nn
from nn.core.errors import DataError
from nn.models import model_file
from nn.models.classifier import read_model
from tests.support.data import blobs
from tests.support.networks import multilayer_perceptron

MODEL = multilayer_perceptron(16, 3, (4,), "tanh", "mse", scale=255.0)
PARAMS = MODEL.init(1)
CONTENT = model_file.to_bytes(MODEL, PARAMS, {"note": "of a test"})


def rewritten(**changes):
    with np.load(io.BytesIO(CONTENT)) as archive:
        arrays = dict(archive)
    arrays.update(changes)
    buffer = io.BytesIO()
    np.savez(buffer, **{name: value for name, value in arrays.items() if value is not None})
    return buffer.getvalue()


def test_model_file_round_trip_predicts_the_same(tmp_path):
    inputs, _ = blobs(20)
    nn.save(tmp_path / "model.npz", MODEL, PARAMS, {"note": "of a test"})
    classifier = nn.load(tmp_path / "model.npz")
    assert np.array_equal(classifier.predict(inputs), MODEL.predict(PARAMS, inputs))
    assert np.array_equal(classifier.predict_proba(inputs.tolist()), MODEL.predict_proba(PARAMS, inputs))
    assert classifier.classes == 3 and classifier.about == {"note": "of a test"}
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_model_file_is_plain_numpy_and_json():
    with np.load(io.BytesIO(CONTENT), allow_pickle=False) as archive:
        assert sorted(archive.files) == ["0.W", "0.b", "2.W", "2.b", "config"]
        config = json.loads(str(archive["config"]))
        assert np.array_equal(archive["0.W"], PARAMS[0]["W"])
    assert config["scale"] == 255.0 and config["classes"] == 3 and config["input_shape"] == [16]


def test_model_file_is_the_same_for_the_same_values():
    assert model_file.to_bytes(MODEL, PARAMS, {"note": "of a test"}) == CONTENT


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an .npz archive"),
        (b"PK\x03\x04 truncated", "not an .npz archive"),
        (CONTENT[:-200], "not an .npz archive"),
        (rewritten(config=None), 'expected a text named "config", found none'),
        (rewritten(config=np.array("{")), "Expecting property name"),
        (rewritten(config=np.array("[" * 100_000)), "found brackets nested too deep"),
        (rewritten(config=np.array("[]")), "expected a JSON object, found list"),
        (rewritten(config=np.array('{"format": 3}')), "expected model format 1 or 2, found 3"),
        (rewritten(config=np.array('{"format": 1}')), "description lacks 'layers'"),
        (rewritten(**{"0.W": None}), "the array '0.W' is missing"),
        (
            rewritten(**{"0.W": np.zeros((16, 5), np.float32)}),
            r"'0.W': expected float32 \(16, 4\), found float32 \(16, 5\)",
        ),
        (rewritten(**{"0.b": np.zeros(4)}), r"'0.b': expected float32 \(4,\), found float64 \(4,\)"),
        (
            rewritten(**{"0.b": np.array([1, np.nan, 3, np.inf], np.float32)}),
            "'0.b': expected finite numbers, found nan",
        ),
        (
            rewritten(**{"2.W": np.full((4, 3), -np.inf, np.float32)}),
            "'2.W': expected finite numbers, found -inf",
        ),
        (rewritten(**{"9.W": np.zeros(3)}), "expected only the arrays of its layers, found '9.W' too"),
        (rewritten(**{"0.W": np.array([{}], dtype=object)}), "'0.W': expected an array of plain numbers"),
    ],
)
def test_load_refuses_damaged_files_in_one_line(tmp_path, content, message):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        nn.load(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_load_names_a_missing_file(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        nn.load(tmp_path / "none.npz")


@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_load_raises_nothing_but_value_errors(place, change):
    damaged = bytearray(CONTENT)
    damaged[place] ^= change
    try:
        model_file.from_bytes(bytes(damaged))
    except ValueError as error:
        assert "\n" not in str(error)


def test_a_path_of_another_file_system_needs_a_session():
    with pytest.raises(DataError, match=r"^hdfs://host/model\.npz: .*: nn\.load\(path, spark\)$"):
        nn.load("hdfs://host/model.npz")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "^MODEL: no such file: a.npz$"),
        (b"rubbish", r"^MODEL: a.npz: cannot be read as a model: not an .npz archive"),
        (
            PermissionError(13, "Permission denied"),
            "^MODEL: a.npz: cannot be read as a model: Permission denied$",
        ),
    ],
)
def test_a_model_is_read_by_any_function(content, message):
    def read(path, most):
        assert path == "a.npz" and most >= 2_000_000_000
        if isinstance(content, Exception):
            raise content
        return content

    with pytest.raises(DataError, match=message):
        read_model(read, "a.npz", "MODEL: ")
