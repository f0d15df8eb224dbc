"""--start-from, --keep-layers and --freeze: the lines and notes of a plan, and what is refused."""

import numpy as np
import pytest

import nn
from nn.cli import dry_run, parser
from nn.core.errors import DataError, MissingFileError, UsageError
from tests.support.data import blobs, write_csv

NETWORK = ["--layers", "dense:6,relu,dense:4,tanh", "--loss", "cross-entropy", "--batch-size", "40"]


@pytest.fixture
def plan(csv_set, tmp_path):
    """A function (words) -> the lines of the plan of a run that starts from a model of its own network."""
    inputs, labels = blobs(90)
    trained = nn.fit(inputs, labels, layers="dense:6,relu,dense:4,tanh", loss="cross-entropy", epochs=1)
    model = tmp_path / "model.npz"
    trained.classifier.save(model)

    def lines(*words, start_from=model, data=csv_set):
        start = ["--start-from", str(start_from)] if start_from else []
        options = parser.parse([*data, str(tmp_path / "out"), *NETWORK, *start, *words])
        return dry_run.lines(options).splitlines()

    return lines


def starting_with(lines, word):
    return [line for line in lines if line.startswith(word)]


def test_a_run_from_a_model_says_that_all_is_its_own(plan):
    lines = plan()
    assert starting_with(lines, "start") == [
        "start     from MODEL: all weights, the encoder of the columns and the classes are its own"
    ]
    assert not starting_with(lines, "frozen") and not starting_with(lines, "note")


def test_kept_and_frozen_layers_are_told(plan):
    lines = plan("--keep-layers", "3", "--freeze", "2")
    assert starting_with(lines, "start") == [
        "start     from MODEL: the encoder of the columns and the weights of layers 1 to 3 are its own, those of "
        "layers 4 to 5 are drawn"
    ]
    assert starting_with(lines, "frozen") == ["frozen    layers 1 to 2: 43 of 145 parameters are learned"]
    assert lines[-1] == (
        "step      172 bytes of parameters to every task, as much of gradients back from every partition; "
        "408 bytes of frozen weights once"
    )
    assert not starting_with(lines, "note")


@pytest.mark.parametrize(
    ("words", "from_model", "note"),
    [
        (
            ["--freeze", "2"],
            False,
            "--freeze 2 without --start-from: the frozen weights are random and stay so",
        ),
        (
            ["--freeze", "3", "--keep-layers", "2"],
            True,
            "--freeze 3 and --keep-layers 2: the weights of layer 3 are random and stay so",
        ),
        (
            ["--layers", "dropout:0.1,dense:4", "--freeze", "1"],
            False,
            "--freeze 1: the network has no weights up to layer 1, so nothing is frozen",
        ),
    ],
)
def test_what_is_probably_not_meant_gets_a_note(plan, words, from_model, note):
    lines = plan(*words) if from_model else plan(*words, start_from=None)
    assert starting_with(lines, "note") == [f"note      {note}"]


def test_other_classes_and_columns_are_refused(plan, tmp_path):
    inputs, labels = blobs(90, classes=4)
    data = [write_csv(tmp_path / "x.csv", inputs), write_csv(tmp_path / "y.csv", labels)] * 2
    with pytest.raises(
        UsageError, match=r"classes \(0, 1, 2\), found '3'; keep-layers keeps its first layers alone"
    ):
        plan(data=data)
    assert "4 classes" in plan("--keep-layers", "2", data=data)[1]
    narrow = [write_csv(tmp_path / "narrow.csv", inputs[:, :9]), data[1]] * 2
    with pytest.raises(UsageError, match="expected 16 input values a row, as the model takes, found 9"):
        plan(data=narrow)


def test_another_network_is_refused(plan):
    message = (
        "layer 1: expected dense:6 as in the trained model, found dense:7; its layers, .* are dense:6,relu"
    )
    with pytest.raises(UsageError, match=message):
        plan("--layers", "dense:7,relu")
    with pytest.raises(UsageError, match="initializer and start-from exclude each other"):
        plan("--initializer", "zeros")
    with pytest.raises(UsageError, match="freeze: expected at most 4, the layers before the output's"):
        plan("--freeze", "5")


def test_a_model_that_is_none_is_refused(plan, tmp_path):
    with pytest.raises(MissingFileError, match="^MODEL: no such file: nowhere.npz"):
        plan(start_from="nowhere.npz")
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    with pytest.raises(DataError, match="other.npz: cannot be read as a model"):
        plan(start_from=tmp_path / "other.npz")
    lines = plan(start_from="hdfs://x/model.npz")
    assert "note      MODEL: not read, it is on no disk of this machine" in lines
    assert "known only after Spark reads TRAIN_IMAGES, TRAIN_LABELS and MODEL" in lines[-1]


@pytest.mark.parametrize(
    "option", ["--scale minmax", "--categorical 0,1", "--max-categories 7", "--unknown error"]
)
def test_an_option_that_the_encoder_of_the_model_makes_void_is_told(option):
    words = ["x.csv", "y.csv", "x2.csv", "y2.csv", "out", *option.split()]
    (note,) = parser.parse([*words, "--start-from", "m.npz"]).notes
    assert note == f"{option} is not used with --start-from: MODEL encodes the columns"
    assert parser.parse(words).notes == ()


def test_a_description_is_said_to_be_of_a_run_without_the_model():
    (note,) = parser.parse(["x.csv", "--describe", "--start-from", "m.npz"]).notes
    assert note.startswith("--describe shows what training does without --start-from")
