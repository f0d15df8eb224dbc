"""The command line: the original's defaults, and one line for what does not fit."""

import pytest

from nn import options
from nn.errors import UsageError
from nn.optimizers import SGD, Momentum
from nn.schedules import BoldDriver, Constant

FILES = ["a", "b", "c", "d", "out"]


def test_defaults_are_the_originals():
    asked = options.parse(FILES)
    assert (asked.hidden, asked.activation, asked.loss) == ((64,), "sigmoid", "mse")
    assert (asked.epochs, asked.sample, asked.batch_size, asked.learning_rate) == (100, 0.7, None, 0.1)
    assert asked.descent().rule == SGD() and asked.descent().schedule == BoldDriver(0.1)
    assert asked.plan(10).sample == 0.7 and asked.plan(10).batches == 1


def test_options_reach_what_they_name():
    words = "--hidden 128,64 --activation relu --loss cross-entropy --optimizer momentum --momentum 0.8"
    words += " --schedule constant --learning-rate 0.5 --batch-size 100 --epochs 7 --seed 3 --partitions 5"
    asked = options.parse([*FILES, *words.split()])
    assert asked.descent().rule == Momentum(0.8) and asked.descent().schedule == Constant(0.5)
    plan = asked.plan(1050)
    assert (plan.epochs, plan.batch_size, plan.batches, plan.seed, plan.sample) == (7, 100, 11, 3, 1.0)
    model = asked.model(784, 10, 255.0)
    assert [layer.config().get("units") for layer in model.layers] == [128, None, 64, None, 10]
    assert model.scale == 255.0 and model.loss.name == "cross-entropy" and asked.partitions == 5


def test_labels_may_stand_in_a_column_counted_from_the_end():
    asked = options.parse(["a", "-", "c", "-", "out", "--label-column", "-1"])
    train, test = asked.sources()
    assert (train.labels, train.label_column, test.images) == (None, -1, "c")
    assert options.parse(["a", "-", "c", "-", "out", "--label-column=-1"]) == asked


def test_sources_name_their_arguments():
    train, test = options.parse(FILES).sources()
    assert train[:3] == ("TRAIN", "a", "b") and test[:3] == ("TEST", "c", "d")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--sample 0.5 --batch-size 10", "--sample and --batch-size exclude each other"),
        ("--sample 0", "--sample: expected a fraction above 0, at most 1, found '0'"),
        ("--sample 1.1", "--sample: expected a fraction"),
        ("--sample nan", "--sample: expected a fraction"),
        ("--learning-rate 0", "--learning-rate: expected a number above 0, found '0'"),
        ("--learning-rate inf", "--learning-rate: expected a number above 0, found 'inf'"),
        ("--learning-rate -1", "--learning-rate: expected a number above 0, found '-1'"),
        ("--momentum 0.5", "--momentum needs --optimizer momentum"),
        ("--optimizer momentum --momentum 1", "--momentum: expected a number from 0 to below 1"),
        ("--epochs 0", "--epochs: expected a whole number of at least 1, found 0"),
        ("--epochs many", "--epochs: expected a whole number of at least 1, found 'many'"),
        ("--epochs 1.5", "--epochs: expected a whole number of at least 1, found '1.5'"),
        ("--hidden 64,", "--hidden: expected units as 64 or 128,64, found '64,'"),
        ("--hidden 0", "--hidden: expected units as 64 or 128,64, found '0'"),
        ("--hidden " + ",".join(["2"] * 30), "--hidden: expected at most 29 layers, found 30"),
        ("--activation selu", "invalid choice: 'selu'"),
        ("--loss hinge", "invalid choice: 'hinge'"),
        ("--label-column 0", "found files for both"),
        ("--batchsize 10", "unrecognized arguments: --batchsize"),
        ("--batch 10", "unrecognized arguments: --batch"),
        ("extra", "unrecognized arguments: extra"),
        ("--seed -1", "--seed: expected a whole number of at least 0, found -1"),
    ],
)
def test_parse_refuses_in_one_line(words, message):
    with pytest.raises(UsageError) as caught:
        options.parse([*FILES, *words.split()])
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_parse_refuses_a_dash_without_a_column_and_missing_arguments():
    with pytest.raises(UsageError, match="TRAIN_LABELS is - .*: expected --label-column N"):
        options.parse(["a", "-", "c", "d", "out"])
    with pytest.raises(UsageError, match="required: TEST_LABELS, OUTPUT"):
        options.parse(["a", "b", "c"])


def test_help_answers_and_groups(capsys):
    with pytest.raises(SystemExit) as left:
        options.parse(["--help"])
    shown = capsys.readouterr().out
    assert left.value.code == 0
    for group in ("data:", "network:", "training:", "run:", "examples:", "exit codes:"):
        assert group in shown


def test_every_option_is_a_field_that_summary_writes():
    asked = options.parse(FILES).as_json()
    assert asked["hidden"] == [64] and asked["train_images"] == "a" and "debug" in asked
