"""The files of a finished run: good ones are read, each kind of bad one is named in one line."""

import json
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nn.plotting.firstlayer import FirstLayer, read_first_layer
from nn.plotting.results import read_confusion, read_examples, read_summary
from nn.plotting.textfiles import BadFileError, NotDrawableError
from tests.support.result_files import CONFIG, SUMMARY, W, changed, message, write_model, write_summary


def test_read_summary_takes_what_pictures_need(tmp_path):
    summary = read_summary(write_summary(tmp_path, SUMMARY))
    assert (summary.name, summary.class_names, summary.accuracy) == ("toy", None, 0.75)
    assert summary.scores.precision.tolist() == [0.5, 0.5]
    assert summary.scores.recall.tolist() == [0.25, 0.25]
    assert summary.scores.macro["f1"] == 1 / 3


def test_read_summary_takes_a_name_for_each_class_of_a_longer_list(tmp_path):
    path = write_summary(tmp_path, changed(SUMMARY, ["data", "class_names"], ["a", "b", "c"]))
    assert read_summary(path).class_names == ("a", "b")


@pytest.mark.parametrize(
    ("address", "value", "expected"),
    [
        (["data"], [], "expected an object at ['data'], found '[]'"),
        (["data", "name"], 7, "expected a text at ['data']['name'], found '7'"),
        (
            ["data", "class_names"],
            ["a"],
            "expected 2 names at ['data']['class_names'], one for each tested class",
        ),
        (["data", "class_names"], ["a", 1], "expected a text at ['data']['class_names'][1], found '1'"),
        (["test", "accuracy"], 97, "expected a number from 0 to 1 at ['test']['accuracy'], found '97'"),
        (["test", "accuracy"], True, "expected a number from 0 to 1 at ['test']['accuracy'], found 'true'"),
        (["test", "accuracy"], float("nan"), "found 'NaN'"),
        (["test", "macro"], {}, "expected a 'precision' at ['test']['macro'], found '{}'"),
        (["test", "classes"], [], "expected a list at ['test']['classes'], found '[]'"),
        (
            ["test", "classes", 1, "class"],
            0,
            "expected the class number 1 at ['test']['classes'][1]['class']",
        ),
        (["test", "classes", 1, "f1"], "x", "expected a number from 0 to 1 at ['test']['classes'][1]['f1']"),
    ],
)
def test_read_summary_names_the_place(tmp_path, address, value, expected):
    assert expected in message(read_summary, write_summary(tmp_path, changed(SUMMARY, address, value)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected JSON, found Expecting value (column 1)"),
        ("{\n'a': 1}", ", line 2: expected JSON"),
        ("[" * 100_000, "nested too deep"),
        ("[" + "9" * 5000 + "]", "expected"),
        ("[1, 2]", "expected an object, found '[1, 2]'"),
        ("null", "expected an object, found 'null'"),
    ],
)
def test_read_summary_refuses_what_is_no_object(tmp_path, text, expected):
    assert expected in message(read_summary, write_summary(tmp_path, text))


def confusion_text(counts):
    head = "truth\\prediction," + ",".join(map(str, range(len(counts))))
    return "\n".join([head, *(f"{i}," + ",".join(map(str, line)) for i, line in enumerate(counts))]) + "\n"


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 6).flatmap(
        lambda k: st.lists(st.lists(st.integers(0, 2**53), min_size=k, max_size=k), min_size=k, max_size=k)
    )
)
def test_read_confusion_reads_what_a_run_writes(tmp_path_factory, counts):
    path = tmp_path_factory.mktemp("confusion") / "confusion_matrix.csv"
    path.write_text(confusion_text(counts))
    assert read_confusion(path).tolist() == counts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ": expected a header line, found an empty file"),
        ("truth,0,1\n", "found the header only"),
        ("truth,0,2\n0,1,1\n", ", line 1: expected a header truth\\prediction,0,1,..., found 'truth,0,2'"),
        ("truth,0,1\n0,1,1\n", ", line 2: expected 2 lines after the header, one per class, found 1"),
        ("truth,0,1\n0,1,1\n1,1,1\n2,1,1\n", ", line 4: expected 2 lines after the header, one per class"),
        ("truth,0,1\n1,1,1\n0,1,1\n", ", line 2: expected class 0 first, found '1'"),
        ("truth,0,1\n0,1,1\n1,1\n", ", line 3: expected 3 values as in the header, found 2"),
        ("truth,0,1\n0,1,-1\n1,1,1\n", ", line 2: expected a count, found '-1'"),
        ("truth,0,1\n0,1,1.0\n1,1,1\n", ", line 2: expected a count, found '1.0'"),
        ("truth,0,1\n0,1," + "9" * 19 + "\n1,1,1\n", ", line 2: expected a count"),
    ],
)
def test_read_confusion_names_the_line(tmp_path, text, expected):
    path = tmp_path / "confusion_matrix.csv"
    path.write_text(text)
    assert expected in message(read_confusion, path)


def test_read_examples_takes_labels_predictions_and_inputs(tmp_path):
    path = tmp_path / "examples.csv"
    path.write_text("row,label,prediction,probability,x0,x1\n17,1,0,0.75,255,0\n3,2,2,nan,0.5,-1\n")
    examples = read_examples(path)
    assert examples.labels.tolist() == [1, 2]
    assert examples.predictions.tolist() == [0, 2]
    assert examples.probabilities[0] == 0.75
    assert examples.inputs.tolist() == [[255, 0], [0.5, -1]]
    assert examples.classes == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("row,label,prediction,probability\n1,1,1,1\n", "expected a column named 'x0'"),
        (
            "row,label,prediction,probability,x0,x2\n1,1,1,1,1,1\n",
            "expected the columns x0, x1, ... at the header's end",
        ),
        ("row,label,prediction,probability,x0\n", "found the header only"),
        (
            "row,label,prediction,probability,x0\n1,1,1,0.5,nan\n",
            ", line 2: expected an input value, found 'nan'",
        ),
        (
            "row,label,prediction,probability,x0\n1,-1,1,0.5,1\n",
            ", line 2: expected a class number, found '-1'",
        ),
        (
            "row,label,prediction,probability,x0\n1,1,1,high,1\n",
            ", line 2: expected a probability, found 'high'",
        ),
        (
            "row,label,prediction,probability,x0\n1,1,1,1,1,1\n",
            ", line 2: expected 5 values as in the header, found 6",
        ),
    ],
)
def test_read_examples_names_the_line(tmp_path, text, expected):
    path = tmp_path / "examples.csv"
    path.write_text(text)
    assert expected in message(read_examples, path)


def test_read_first_layer_takes_its_weights_and_the_input_shape(tmp_path):
    layer = read_first_layer(write_model(tmp_path))
    assert isinstance(layer, FirstLayer)
    np.testing.assert_array_equal(layer.weights, W)
    assert layer.input_shape == (4,)


def test_read_first_layer_looks_through_layers_that_keep_pixels_in_place(tmp_path):
    layers = [{"name": "flatten"}, {"name": "dropout", "rate": 0.2}, {"name": "dense", "units": 3}]
    path = write_model(tmp_path, {"input_shape": [2, 2, 1], "layers": layers}, {"2.W": 2 * W})
    np.testing.assert_array_equal(read_first_layer(path).weights, 2 * W)


@pytest.mark.parametrize(
    "layers",
    [
        [{"name": "convolution"}, {"name": "dense", "units": 3}],
        [{"name": "residual", "layers": [{"name": "dense", "units": 4}]}, {"name": "dense", "units": 3}],
        [{"name": "relu"}, {"name": "conv2d", "filters": 2, "kernel": [3, 3]}],
        [{"name": "dropout"}],
    ],
)
def test_read_first_layer_says_when_there_is_nothing_to_draw(tmp_path, layers):
    with pytest.raises(NotDrawableError, match="dense"):
        read_first_layer(write_model(tmp_path, {"input_shape": [4], "layers": layers}))


@pytest.mark.parametrize(
    ("config", "arrays", "expected"),
    [
        ("{", {}, "expected JSON"),
        ("[]", {}, "expected an object, found '[]'"),
        ({"input_shape": [4]}, {}, "expected a 'layers'"),
        ({"input_shape": [4], "layers": [5]}, {}, "expected an object at ['layers'][0]"),
        (
            {"input_shape": 4, "layers": [{"name": "dense", "units": 3}]},
            {},
            "expected a list at ['input_shape']",
        ),
        (
            {"input_shape": [5], "layers": [{"name": "dense", "units": 3}]},
            {},
            "'0.W' of shape (5, 3) as its config says",
        ),
        (
            {"input_shape": [4], "layers": [{"name": "flatten"}, {"name": "dense", "units": 3}]},
            {},
            "an array named '1.W'",
        ),
        (CONFIG, {"0.W": W.T}, "expected '0.W' of shape (4, 3) as its config says, found (3, 4)"),
        (CONFIG, {"0.W": W.astype(str)}, "expected numbers in '0.W'"),
        (CONFIG, {"config": np.zeros(2)}, "expected JSON text in 'config', found float64 of shape (2,)"),
        (
            CONFIG,
            {"0.W": np.array([{"a": 1}], dtype=object)},
            "found pickled objects, which are never loaded",
        ),
        (CONFIG, {"config": np.array("{}", dtype=object)}, "found pickled objects, which are never loaded"),
    ],
)
def test_read_first_layer_names_what_does_not_fit(tmp_path, config, arrays, expected):
    assert expected in message(read_first_layer, write_model(tmp_path, config, arrays))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip at all", b"text\n", pickle.dumps([1, 2])])
def test_read_first_layer_refuses_what_is_no_npz(tmp_path, content):
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    assert "expected NumPy arrays in an .npz file" in message(read_first_layer, path)


def test_read_first_layer_refuses_a_single_array_and_a_torn_file(tmp_path):
    path = tmp_path / "model.npz"
    with path.open("wb") as file:
        np.save(file, W)
    assert "found a single array" in message(read_first_layer, path)
    content = bytearray(write_model(tmp_path).read_bytes())
    content[content.find(b"NUMPY")] ^= 1  # inside the first member
    path.write_bytes(content)
    assert "expected a plain array" in message(read_first_layer, path)
    path.write_bytes(content[: len(content) // 2])
    assert "expected NumPy arrays" in message(read_first_layer, path)


def test_read_first_layer_survives_a_member_that_claims_to_be_huge(tmp_path):
    path = write_model(tmp_path)
    header = "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 3), }".ljust(117) + "\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "0.W.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
        )
        text = np.array(json.dumps(CONFIG))
        with archive.open("config.npy", "w") as member:
            np.lib.format.write_array(member, text)
    assert "expected a plain array '0.W', found a damaged one" in message(read_first_layer, path)


NAMED = changed(
    changed(SUMMARY, ["test", "classes", 0, "class"], "a, b"), ["test", "classes", 1, "class"], "7"
)


def test_files_name_classes_as_the_summary_does(tmp_path):
    summary = read_summary(write_summary(tmp_path, NAMED))
    assert summary.labels == summary.class_names == ("a, b", "7")
    path = tmp_path / "confusion_matrix.csv"
    path.write_text('truth\\prediction,"a, b",7\n"a, b",2,1\n7,0,3\n')
    assert read_confusion(path, summary.labels).tolist() == [[2, 1], [0, 3]]
    assert "expected a header truth" in message(read_confusion, path)
    path = tmp_path / "examples.csv"
    path.write_text('row,label,prediction,probability,x0\n0,"a, b",7,0.5,1\n1,7,7,0.5,2\n')
    examples = read_examples(path, summary.labels)
    assert examples.labels.tolist() == [0, 1] and examples.predictions.tolist() == [1, 1]
    path.write_text("row,label,prediction,probability,x0\n0,c,7,0.5,1\n")
    with pytest.raises(BadFileError, match="line 2: expected the name of a class in summary.json, found 'c'"):
        read_examples(path, summary.labels)


def test_the_names_of_the_data_set_are_shown_instead_of_the_labels(tmp_path):
    path = write_summary(tmp_path, changed(NAMED, ["data", "class_names"], ["cat", "dog"]))
    assert read_summary(path).class_names == ("cat", "dog") and read_summary(path).labels == ("a, b", "7")


@pytest.mark.parametrize(
    ("columns", "is_table"), [(["0", "1"], False), (["1", "0"], True), (["size", "color"], True)]
)
def test_inputs_with_names_are_columns_of_a_table(tmp_path, columns, is_table):
    columns = [{"kind": "number", "name": name} for name in columns]
    model = {"input_shape": [2], "encoder": {"columns": columns}}
    assert read_summary(write_summary(tmp_path, {**SUMMARY, "model": model})).is_table == is_table
    columns[0] |= {"kind": "category"}
    assert read_summary(write_summary(tmp_path, {**SUMMARY, "model": model})).is_table
