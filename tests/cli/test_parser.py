"""The command line: the original's defaults, and one line for what does not fit."""

import dataclasses
import json
import re

import numpy as np
import pytest

from nn.cli import parser
from nn.cli.options import Options
from nn.core.command_line import filled
from nn.core.errors import MissingFileError, UsageError
from nn.core.options import options_of
from nn.data.augmentation import Flip, Shift
from nn.data.encoding import SharedScale
from nn.data.hold_out import HoldOut
from nn.models.losses import CrossEntropy, HalfSquaredError
from nn.optim.first_order import FirstOrder
from nn.optim.parameter_averaging import ParameterAveraging
from nn.optim.rules import SGD, Adam, Momentum, Nesterov
from nn.optim.schedules import BoldDriver, Constant, Step
from nn.optim.weight_averages import LastEpochs
from nn.training.assembly import for_replicas, network_of, optimizer_of, plan_of, resolved, split_of
from nn.training.backend import Facts
from nn.training.recipe import Recipe
from tests.support import ROOT
from tests.support.networks import pixels

FILES = ["a", "b", "c", "d", "out"]


@pytest.mark.parametrize("words", [["--hidden", "7"], ["--layers", "dense:7,relu"], ["--activation", "tanh"]])
def test_the_description_of_a_recipe_is_left_out_where_its_network_is_replaced(words):
    assert "784-1024-1024-10" in parser.parse(["--config", "mlp", "out", "--epochs", "1"]).about
    assert parser.parse(["--config", "mlp", "out", *words]).about is None


def test_a_recipe_is_named_without_its_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert parser.parse(["--config", "cnn", "out"]).recipe.epochs == 45
    with pytest.raises(UsageError, match=r"^--config: expected the name of a recipe \(binary, "):
        parser.parse(["--config", "CNN", "out"])


def test_defaults_are_the_originals_with_momentum():
    recipe = parser.parse(FILES).recipe
    model, plan = network_of(recipe, pixels(784, 10, 255.0)), plan_of(recipe, 1000)
    assert [str(layer) for layer in model.layers] == [
        "dense:64:initializer=glorot_uniform:gain=1.5",
        "sigmoid",
        "dense:10:initializer=glorot_uniform:gain=1.5",
        "sigmoid",
    ]
    assert model.loss == HalfSquaredError() and (plan.epochs, plan.sample, plan.jobs) == (100, 0.7, 1)
    driver = BoldDriver(growth=1.15)
    assert optimizer_of(recipe, plan) == FirstOrder(Momentum(), driver, 0.1, epochs=100)
    original = Recipe.read(str(ROOT / "recipes/original.json"))
    assert optimizer_of(original, plan) == FirstOrder(SGD(), BoldDriver(), 0.1, epochs=100)


@pytest.mark.parametrize(
    ("options", "rule", "schedule"),
    [
        ({"optimizer": "sgd"}, SGD(), BoldDriver()),
        ({"sample": 1.0}, Momentum(), BoldDriver(growth=1.15)),
        ({"optimizer": "nesterov:0.8"}, Nesterov(0.8), BoldDriver(growth=1.15)),
        ({"optimizer": "adam"}, Adam(), Constant()),
        ({"schedule": "bold-driver"}, SGD(), BoldDriver()),
        ({"schedule": "constant"}, SGD(), Constant()),
        ({"batch_size": 50}, SGD(), BoldDriver()),
        ({"average": "parameters"}, SGD(), Constant()),
        ({"average": "parameters", "optimizer": "momentum"}, Momentum(), Constant()),
    ],
)
def test_the_optimizer_and_the_schedule_have_defaults_that_depend_on_the_steps(options, rule, schedule):
    recipe = Recipe.of(**options)
    assert (recipe.used_optimizer, recipe.rate_schedule) == (rule, schedule)
    assert (resolved(recipe).optimizer, resolved(recipe).schedule) == (rule, schedule)


def test_options_reach_what_they_name():
    words = "--hidden 128,64 --activation relu --loss cross-entropy:0.1 --optimizer momentum:0.8 --clip 2 --warmup 2"
    words += " --schedule step:2 --learning-rate 0.5 --batch-size 100 --epochs 7 --seed 3 --l1 0.1 --l2 0.2"
    parsed = parser.parse([*FILES, *words.split(), "--partitions", "5"])
    recipe, plan = parsed.recipe, plan_of(parsed.recipe, 1050)
    assert (plan.epochs, plan.batch_size, plan.jobs, plan.seed, plan.sample) == (7, 100, 11, 3, 1.0)
    assert optimizer_of(recipe, plan) == FirstOrder(Momentum(0.8), Step(2.0), 0.5, 7, 11, 2.0, 2.0)
    model = network_of(recipe, pixels(784, 10, 255.0))
    assert [layer.short_name for layer in model.layers] == [
        "dense:128",
        "relu",
        "dense:64",
        "relu",
        "dense:10",
    ]
    assert model.encoder == SharedScale(255.0) and model.loss == CrossEntropy(0.1) and parsed.partitions == 5
    assert (recipe.l1, recipe.l2) == (0.1, 0.2)


def test_options_for_validation_weights_and_augmentation_reach_what_they_name():
    words = "--validation-fraction 0.25 --patience 4 --class-weights 0=2 --augment shift:2,flip --input-shape 4x4x1"
    recipe = parser.parse([*FILES, *words.split(), "--layers", "flatten,dense:8,relu,dropout:0.5"]).recipe
    plan = plan_of(recipe, 75)
    assert plan.validates and plan.keeps_best and plan.noisy and recipe.patience == 4
    assert plan.average is None and plan_of(Recipe.of(average_weights="last:4"), 75).average == LastEpochs(4)
    split = split_of(recipe, Facts(16, np.repeat([0, 1], [60, 40]), 2))
    assert split.hold_out == HoldOut(0, 0.25, 100) and split.class_weights.tolist() == [2, 1]
    assert recipe.augment == (Shift(2.0), Flip()) and network_of(recipe, pixels(16, 2)).input_shape == (
        4,
        4,
        1,
    )


def test_labels_may_stand_in_a_column_counted_from_the_end():
    parsed = parser.parse(["a", "-", "c", "-", "out", "--label-column", "-1"])
    train, test = parsed.sources()
    assert (train.labels, train.label_column, test.images) == (None, -1, "c")
    assert parser.parse(["a", "-", "c", "-", "out", "--label-column=-1"]) == parsed


def test_sources_name_their_arguments():
    train, test = parser.parse(FILES).sources()
    assert train[:3] == ("TRAIN", "a", "b") and test[:3] == ("TEST", "c", "d")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--sample 0.5 --batch-size 10", "sample and batch-size exclude each other"),
        ("--sample 0", "--sample: expected a number in (0, 1], found '0'"),
        ("--sample 1.1", "--sample: expected a number in (0, 1]"),
        ("--sample nan", "--sample: expected a number in (0, 1]"),
        ("--learning-rate 0", "--learning-rate: expected a finite number above 0, found '0'"),
        ("--learning-rate inf", "--learning-rate: expected a finite number above 0, found 'inf'"),
        ("--learning-rate -1", "--learning-rate: expected a finite number above 0, found '-1'"),
        (
            "--optimizer momentum:1",
            "--optimizer: momentum:1: Momentum momentum must be a number in [0, 1), got 1",
        ),
        ("--optimizer moment", "--optimizer: unknown optimizer 'moment'; known: sgd, momentum, nesterov,"),
        ("--optimizer adam:0.9", "--optimizer: adam:0.9: expected adam[:beta1=0.9][:beta2"),
        ("--schedule cosin", "--schedule: unknown schedule 'cosin'; known: constant, bold-driver, step,"),
        ("--schedule step", "--schedule: step: expected step:EVERY[:drop=0.1]"),
        ("--keep-layers 2", "--keep-layers needs --start-from MODEL, whose first layers are kept"),
        (
            "--keep-layers 0 --start-from m.npz",
            "--keep-layers: expected a whole number of at least 1, found '0'",
        ),
        ("--freeze 0", "--freeze: expected a whole number of at least 1, found '0'"),
        *(
            (
                f"--start-from {spelled}",
                "--start-from: expected a MODEL outside of OUTPUT, whose files the run replaces",
            )
            for spelled in ("out/model.npz", "./out/model.npz", "out//model.npz", "x/../out/model.npz")
        ),
        ("--layers dense:8 --hidden 8", "layers and hidden exclude each other: layers lists them all"),
        ("--layers dense:8 --activation relu", "layers and activation exclude each other"),
        (
            "--layers dense:8,,relu",
            "--layers: dense:8,,relu: expected words between commas, found an empty one",
        ),
        ("--layers batchnorm", "unknown layer 'batchnorm'"),
        ("--initializer ones", "--initializer: expected one of glorot_uniform"),
        ("--input-shape 28x28x1x1", "--input-shape: expected a shape as 28x28x1, found '28x28x1x1'"),
        ("--input-shape 28,28", "--input-shape: expected a shape as 28x28x1, found '28,28'"),
        ("--patience 3", "patience needs validation-fraction"),
        ("--warmup 100", "warmup: expected fewer than the 100 epochs, found 100"),
        ("--warmup 3", "warmup and bold-driver exclude each other"),
        ("--warmup 3 --schedule one-cycle", "warmup and one-cycle exclude each other"),
        (
            "--validation-fraction 1",
            "--validation-fraction: expected a number in [0, 1), found '1'",
        ),
        (
            "--class-weights 0:1",
            "--class-weights: expected balanced, or weights as 0=1,3=2.5 or setosa=2, found '0:1'",
        ),
        ("--augment blur", "--augment: unknown augmentation 'blur'; known: shift"),
        (
            "--augment flip --input-shape 12",
            "augment: needs images (h, w, c), got a row of 12; say input-shape",
        ),
        (
            "--hidden 1000000000 --input-shape 784",
            "layer 1 dense:1000000000: expected at most 500,000,000 parameters",
        ),
        (
            "--input-shape 1000000000000 --missing mean",
            "expected at most 1,048,576 columns that are scaled alone, found 1,000,000,000,000",
        ),
        (
            "--input-shape 1000000000000 --layers conv2d:2x3",
            "layer 1 conv2d:2x3",
        ),
        ("--warmup 3 --schedule bold-driver", "it finds its own way up; say another schedule"),
        ("--batch-size none --epochs none", "--epochs: expected a whole number of at least 1, found 'none'"),
        ("--l2 -1", "--l2: expected a finite number of at least 0, found '-1'"),
        ("--clip 0", "--clip: expected a finite number above 0, found '0'"),
        (
            "--optimizer l-bfgs --batch-size 5",
            "l-bfgs and batch-size exclude each other: its line search needs exact",
        ),
        ("--optimizer l-bfgs --sample 0.5", "l-bfgs and sample exclude each other"),
        ("--optimizer l-bfgs --layers dropout:0.5", "l-bfgs and dropout exclude each other"),
        ("--optimizer l-bfgs --augment flip", "l-bfgs and augment exclude each other"),
        ("--optimizer l-bfgs --l1 0.1", "l-bfgs and l1 exclude each other: |W| has no slope at 0; use l2"),
        ("--optimizer l-bfgs --clip 1", "l-bfgs and clip exclude each other"),
        ("--optimizer l-bfgs --schedule cosine", "l-bfgs and schedule exclude each other"),
        ("--optimizer l-bfgs --learning-rate 1", "l-bfgs and learning-rate exclude each other"),
        ("--optimizer l-bfgs --warmup 1", "l-bfgs and warmup exclude each other"),
        ("--optimizer l-bfgs --average parameters", "l-bfgs and average=parameters exclude each other"),
        ("--optimizer l-bfgs --average-weights ema:0.9", "l-bfgs and average-weights exclude each other"),
        ("--average-weights ema:2", "decay must be a number in (0, 1), got 2.0"),
        (
            "--sample 0.5 --average parameters",
            "sample and average=parameters exclude each other: replicas go",
        ),
        ("--average weights", "expected one of gradients, parameters, found 'weights'"),
        ("--rounds-per-epoch 2", "rounds-per-epoch needs average=parameters"),
        ("--epochs-per-round 2", "epochs-per-round needs average=parameters"),
        (
            "--average parameters --epochs-per-round 2 --rounds-per-epoch 1",
            "epochs-per-round and rounds-per-epoch exclude each other",
        ),
        (
            "--average parameters --epochs-per-round 2 --schedule plateau",
            "epochs-per-round and schedule=plateau exclude each other: it needs a cost after each epoch",
        ),
        (
            "--average parameters --epochs-per-round 2 --schedule bold-driver",
            "epochs-per-round and schedule=bold-driver exclude each other",
        ),
        ("--outer-momentum 0.5", "outer-momentum needs average=parameters"),
        ("--outer-learning-rate 1", "outer-learning-rate needs average=parameters"),
        ("--average parameters --outer-momentum 1", "expected a number in [0, 1)"),
        ("--average parameters --rounds-per-epoch 0", "expected a whole number of at least 1"),
        ("--epochs 0", "--epochs: expected a whole number of at least 1, found '0'"),
        ("--partitions 1000001", "--partitions: expected a whole number from 1 to 1000000, found '1000001'"),
        ("--epochs many", "--epochs: expected a whole number of at least 1, found 'many'"),
        ("--epochs 1.5", "--epochs: expected a whole number of at least 1, found '1.5'"),
        ("--hidden 64,", "--hidden: expected units as 64 or 128,64, found '64,'"),
        ("--hidden 0", "--hidden: expected units as 64 or 128,64, found '0'"),
        ("--hidden " + ",".join(["2"] * 30), "expected at most 58 layers before the output's, found 60"),
        ("--activation selu", "--activation: expected one of sigmoid, tanh, relu"),
        ("--loss hinge", "--loss: unknown loss 'hinge'; known: mse, absolute-error, huber, cross-entropy,"),
        ("--label-column 0", "found files for both"),
        ("--batchsize 10", "unrecognized arguments: --batchsize 10; did you mean --batch-size? --help"),
        ("--epoch=3", "unrecognized arguments: --epoch=3; did you mean --epochs? --help"),
        (
            "--learning_rate 1",
            "unrecognized arguments: --learning_rate 1; did you mean --learning-rate? --help",
        ),
        ("--batch 10", "unrecognized arguments: --batch"),
        (
            "--conf spark.executor.memory=8g",
            "--conf is an option of spark-submit and belongs before main_task.py; --help lists",
        ),
        ("--zebra 10", "unrecognized arguments: --zebra 10; --help lists the options"),
        ("extra", "unrecognized arguments: extra; --help lists the options"),
        ("--seed -1", "--seed: expected a whole number of at least 0, found '-1'"),
    ],
)
def test_parse_refuses_in_one_line(words, message):
    with pytest.raises(UsageError) as caught:
        parser.parse([*FILES, *words.split()])
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_a_path_that_spark_would_take_for_another_is_refused_before_it_starts():
    for number, argument in enumerate(
        ("TRAIN_IMAGES", "TRAIN_LABELS", "TEST_IMAGES", "TEST_LABELS", "OUTPUT")
    ):
        words = list("abcde")
        words[number] = "file:x"
        with pytest.raises(
            UsageError, match=f"^{argument}: expected a path, or file:///full/path, found file:x$"
        ):
            parser.parse(words)


def test_parse_refuses_a_dash_without_a_column_and_missing_arguments():
    with pytest.raises(UsageError, match="TRAIN_LABELS is - .*: expected --label-column COLUMN"):
        parser.parse(["a", "-", "c", "d", "out"])
    with pytest.raises(UsageError, match="required: TEST_LABELS, OUTPUT"):
        parser.parse(["a", "b", "c"])


def test_help_answers_and_groups(capsys):
    with pytest.raises(SystemExit) as left:
        parser.parse(["--help"])
    shown = capsys.readouterr().out
    assert left.value.code == 0
    for group in ("data:", "network:", "training:", "run:", "examples:", "exit codes:"):
        assert group in shown


@pytest.mark.parametrize("width", [60, 80, 100, 120])
def test_help_breaks_no_word_but_after_a_comma(capsys, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    with pytest.raises(SystemExit):
        parser.parse(["--help"])
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= width
    fields = [field for owner in (Options, Recipe) for field in options_of(owner).values()]
    texts = [field.metadata["help"] for field in fields if field.metadata["group"]]
    joined = re.sub(r",\s+", ",", shown)
    for text in [*texts, parser.CONFIG_HELP, parser.DESCRIPTION, parser.EPILOG]:
        for word in text.split():
            assert word in shown or word in joined
    assert '"conv2d:16x5,relu,maxpool2d:2,flatten,dense:128,relu,dropout:0.5"' in joined


def test_a_text_is_filled_by_words_and_a_long_word_by_its_commas():
    assert filled("one two-three four", 9) == ["one", "two-three", "four"]
    assert filled("as conv2d:16x5,relu,flatten,dense:3 is", 12) == [
        "as",
        "conv2d:16x5,",
        "relu,",
        "flatten,",
        "dense:3 is",
    ]
    assert filled("as a:1,b:2,c:3,d:4", 8) == ["as a:1,", "b:2,c:3,", "d:4"]
    assert filled("unbreakable", 5) == ["unbreakable"] and filled(",,,", 2) == [",,,"] and filled("", 5) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--epochs=--"], "argument --epochs: no option takes the value '--'"),
        (["--config=--"], "argument --config: no option takes the value '--'"),
        (["--overwrite=--"], "argument --overwrite: no option takes the value '--'"),
        (["--epochs", "--"], "argument --epochs: expected one argument"),
        (["--epochs="], "--epochs: expected a whole number of at least 1, found ''"),
        (["--epochs"], "argument --epochs: expected one argument"),
        (["--epochs", "--seed"], "argument --epochs: expected one argument"),
        (["--loss", "-x"], "argument --loss: expected one argument"),
        (["--loss=-x"], "--loss: unknown loss '-x'"),
        (["--debug=1"], "argument --debug: ignored explicit argument '1'"),
        (["--debug="], "argument --debug: ignored explicit argument ''"),
        (["--=x"], "unrecognized arguments: --=x"),
        (["-x"], "unrecognized arguments: -x"),
        (["-x\n\x1b[2J"], r"unrecognized arguments: -x\n\x1b[2J"),
        (["--no-epochs"], "unrecognized arguments: --no-epochs"),
    ],
)
def test_words_that_argparse_takes_in_a_way_of_its_own_end_in_one_line(words, message):
    with pytest.raises(UsageError) as caught:
        parser.parse([*FILES, *words])
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_two_dashes_end_the_options():
    parsed = parser.parse(["--epochs", "3", "--", *FILES])
    assert (parsed.train_images, parsed.output, parsed.recipe.epochs) == ("a", "out", 3)


@pytest.mark.parametrize("empty_path", range(5))
def test_an_empty_place_is_refused(empty_path):
    words = [*FILES]
    words[empty_path] = ""
    name = ("TRAIN_IMAGES", "TRAIN_LABELS", "TEST_IMAGES", "TEST_LABELS", "OUTPUT")[empty_path]
    with pytest.raises(UsageError, match=f"^{name}: expected a path, found ''$"):
        parser.parse(words)


def test_help_lists_every_option_in_its_group_in_this_order():
    groups = {title: " ".join(names) for title, names in parser.groups().items()}
    assert groups == {
        "data": "train_images train_labels test_images test_labels output label_column weight_column "
        "id_column validation_column features drop_columns format read_option missing_values test_fraction header "
        "skip_lines",
        "network": "hidden activation layers input_shape initializer loss task start_from keep_layers freeze",
        "columns": "scale missing categorical max_categories unknown",
        "training": "epochs sample batch_size average rounds_per_epoch epochs_per_round outer_learning_rate "
        "outer_momentum optimizer learning_rate schedule warmup clip l1 l2 class_weights augment "
        "validation_fraction patience average_weights",
        "run": "seed partitions shuffle_once overwrite resume checkpoint_every keep_checkpoints describe check "
        "dry_run debug",
    }
    listed = " ".join(groups.values()).split()
    assert sorted(listed) == sorted({*options_of(Options), *options_of(Recipe)} - {"about", "get_data"})


@pytest.mark.parametrize(
    ("words", "noisy"),
    [("", False), ("--augment shift:1", True), ("--layers dropout:0.5", True), ("--layers dropout:0", False)],
)
def test_a_plan_knows_what_blurs_the_cost(words, noisy):
    assert plan_of(parser.parse([*FILES, *words.split()]).recipe, 10).noisy == noisy


def test_words_lists_every_word(capsys):
    with pytest.raises(SystemExit) as left:
        parser.parse(["--words"])
    shown = capsys.readouterr().out
    assert left.value.code == 0
    for registry in parser.WORDS.values():
        assert all(f"  {name}" in shown for name in registry)
    assert "\naverages of weights:\n  ema:DECAY\n" in shown and "\n  last:EPOCHS\n" in shown


# ---- layers that do not fit ----


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--layers", "flatten,dense:800,conv2d:32x5"],
            "layer 3 conv2d:32x5: needs an image (h, w, c), got a row of 800",
        ),
        (["--layers", "conv2d:4x3,dense:5"], "layer 2 dense:5: needs a row of numbers, got an image of"),
        (
            ["--layers", "conv2d:4x3", "--input-shape", "2x2x1"],
            "layer 1 conv2d:4x3: needs an image of at least 3x3",
        ),
        (["--layers", "dense:4,residual(dense:5)"], "layer 2 residual(dense:5): "),
        (
            ["--loss", "binary-cross-entropy", "--layers", "conv2d:4x3"],
            "the output layer dense:1: needs a row of numbers",
        ),
    ],
)
def test_layers_that_do_not_fit_are_refused_before_spark_starts(words, message, tmp_path):
    images = tmp_path / "images.csv"
    images.write_text("0," * 783 + "0\n")
    with pytest.raises(UsageError) as caught:
        parser.parse([str(images) if "--input-shape" not in words else "a", *FILES[1:], *words])
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_the_largest_numbers_that_help_names_are_taken():
    parsed = parser.parse([*FILES, "--partitions", "1000000", "--skip-lines", "10000"])
    assert (parsed.partitions, parsed.skip_lines) == (1_000_000, 10_000)


def test_help_and_words_name_the_numbers_that_are_taken(capsys):
    with pytest.raises(SystemExit):
        parser.parse(["--help"])
    help = " ".join(capsys.readouterr().out.split())
    assert "(default 0.7); a number in (0, 1]" in help
    assert "(default: as many as tasks run at once); a whole number from 1 to 1000000" in help
    with pytest.raises(SystemExit):
        parser.parse(["--words"])
    words = capsys.readouterr().out
    assert "  dropout:RATE\n" in words and "      rate: a number in [0, 1)\n" in words


@pytest.mark.parametrize(
    ("sets", "words", "message"),
    [
        (
            ["-", "-"],
            [],
            "TEST_IMAGES is - .*: expected --test-fraction FRACTION, such as 0.2, .*, or 0, which trains without",
        ),
        (
            ["c.csv", "-"],
            ["--test-fraction", "0.2"],
            "expected - as TEST_IMAGES and TEST_LABELS, found c.csv",
        ),
    ],
)
def test_a_test_fraction_goes_with_no_test_set_alone(sets, words, message):
    with pytest.raises(UsageError, match=message):
        parser.parse(["a.csv", "-", *sets, "out", "--label-column", "0", *words])


def test_a_validation_column_asks_for_no_fraction_before_anything_is_read():
    words = ["a.csv", "-", "b.csv", "-", "out", "--label-column", "0", "--validation-column", "held_out"]
    with pytest.raises(
        UsageError, match="^--validation-column and --validation-fraction 0.15 exclude each other: both"
    ):
        parser.parse([*words, "--validation-fraction", "0.15"])
    assert parser.parse([*words, "--validation-fraction", "0"]).recipe.validation_fraction == 0
    assert parser.parse([*words, "--validation-fraction", "0.15", "--describe"]).describe


def test_layers_are_checked_with_the_data_where_the_width_is_not_known_before():
    facts = Facts(16, np.arange(20) % 2, 2)
    parsed = parser.parse([*FILES, "--layers", "flatten,dense:8,conv2d:3x5"])
    with pytest.raises(UsageError, match=r"^layer 3 conv2d:3x5: needs an image \(h, w, c\), got a row of 8"):
        parsed.training_run(facts)
    parsed = parser.parse([*FILES, "--layers", "flatten,dense:8", "--class-weights", "5=2"])
    with pytest.raises(UsageError, match=r"^class-weights: expected classes 0..1, found class 5"):
        parsed.training_run(facts)


def test_layers_are_held_against_the_width_of_a_local_file(tmp_path):
    images = tmp_path / "images.csv"
    images.write_text("1,2,3,4,5\n" * 3)
    with pytest.raises(UsageError, match="layer 1 conv2d:4x3: needs an image .h, w, c., got a row of 5"):
        parser.parse([str(images), "b", "c", "d", "out", "--layers", "conv2d:4x3,flatten"])
    with pytest.raises(UsageError, match="input-shape: 2x2x1 makes 4 values, found 5 a row"):
        parser.parse([str(images), "b", "c", "d", "out", "--layers", "flatten", "--input-shape", "2x2x1"])
    words = [str(images), "-", "c", "-", "out", "--label-column", "0", "--layers", "conv2d:4x2,flatten"]
    assert network_of(parser.parse(words).recipe, pixels(4, 2)).input_shape == (2, 2, 1)


def test_a_line_too_long_to_peek_at_is_left_to_spark(tmp_path):
    images = tmp_path / "images.csv"
    images.write_text("1," * 600_000 + "1\n")
    words = [str(images), "b", "c", "d", "out", "--layers", "residual(dense:3),dense:4"]
    assert parser.parse(words).recipe.layers is not None
    images.write_text("1,2,3,4\n")
    with pytest.raises(UsageError, match="its input's shape a row of 4, got a row of 3"):
        parser.parse(words)


# ---- the configuration file ----


def config_file(tmp_path, value):
    path = tmp_path / "config.json"
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return str(path)


PLACES = dict(
    zip(("train_images", "train_labels", "test_images", "test_labels", "output"), FILES, strict=True)
)


def test_config_gives_options_and_flags_win(tmp_path):
    values = {
        **PLACES,
        "hidden": [32, 16],
        "batch-size": 50,
        "optimizer": {"name": "adam", "beta1": 0.8},
        "epochs": 3,
    }
    path = config_file(tmp_path, values)
    parsed = parser.parse(["--config", path, "--epochs", "9"])
    assert parsed.train_images == "a" and parsed.output == "out"
    assert (parsed.recipe.hidden, parsed.recipe.batch_size, parsed.recipe.epochs) == ((32, 16), 50, 9)
    assert parsed.recipe.optimizer.beta1 == 0.8
    other = parser.parse(["--config", path, "elsewhere"])
    assert (other.train_images, other.output) == ("a", "elsewhere")
    assert parser.parse(["--config", path, *["v", "w", "x", "y", "z"]]).train_images == "v"


def test_a_flag_takes_the_place_of_what_it_excludes_in_the_file(tmp_path):
    path = config_file(tmp_path, {**PLACES, "batch_size": 50, "layers": "dense:3,relu"})
    recipe = parser.parse(["--config", path, "--sample", "0.5", "--hidden", "7"]).recipe
    assert (recipe.batch_size, recipe.sample, recipe.layers, recipe.hidden) == (None, 0.5, None, (7,))


def test_flags_drop_what_belongs_to_the_other_averaging_in_the_file(tmp_path):
    values = {"average": "parameters", "batch_size": 9, "rounds_per_epoch": 2, "outer_momentum": 0.5}
    path = config_file(tmp_path, {**PLACES, **values})
    recipe = parser.parse(["--config", path, "--average", "gradients"]).recipe
    assert (recipe.average, recipe.batch_size, recipe.rounds_per_epoch) == ("gradients", 9, None)
    recipe = parser.parse(["--config", path, "--sample", "0.5"]).recipe
    assert (recipe.average, recipe.batch_size, recipe.outer_momentum) == ("gradients", None, None)
    recipe = parser.parse(["--config", path, "--optimizer", "l-bfgs"]).recipe
    assert recipe.average == "gradients"
    recipe = parser.parse(["--config", path, "--epochs-per-round", "3"]).recipe
    assert (recipe.rounds_per_epoch, recipe.epochs_per_round) == (None, 3)
    path = config_file(tmp_path, {**PLACES, "average": "parameters", "epochs_per_round": 3})
    recipe = parser.parse(["--config", path, "--rounds-per-epoch", "2"]).recipe
    assert (recipe.rounds_per_epoch, recipe.epochs_per_round) == (2, 1)
    assert parser.parse(["--config", path, "--average", "gradients"]).recipe.epochs_per_round == 1
    path = config_file(tmp_path, {**PLACES, "sample": 0.5})
    assert parser.parse(["--config", path, "--average", "parameters"]).recipe.sample is None


def test_replicas_step_by_mini_batches_at_the_rate_that_is_said():
    words = "--average parameters --optimizer nesterov:0.8 --rounds-per-epoch 4 --outer-momentum 0.5 --clip 2"
    recipe = parser.parse([*FILES, *words.split()]).recipe
    plan = plan_of(recipe, 1000)
    assert (plan.batch_size, plan.rounds, plan.jobs, plan.sample) == (64, 4, 4, 1.0)
    assert optimizer_of(recipe, plan) == ParameterAveraging(
        FirstOrder(Nesterov(0.8), Constant(), 0.1, 100, 4, clip=2.0), batch_size=64, outer_momentum=0.5
    )
    assert plan_of(recipe, 3).rounds == 3  # no more rounds than rows
    long = Recipe.of(average="parameters", epochs=10, epochs_per_round=4)
    plan = plan_of(long, 1000)
    assert (plan.rounds, plan.jobs, plan.epochs_per_round) == (1, 1, 4)
    assert optimizer_of(long, plan).epochs_per_round == 4
    many = for_replicas(recipe, 60_000, 32)
    assert (many.batch_size, many.outer_momentum) == (32, 0.5)
    plain = Recipe.of(average="parameters")
    assert for_replicas(plain, 60_000, 15) == for_replicas(plain, 64_000, 16) == plain
    assert for_replicas(plain, 63_999, 16).outer_momentum == 0.5
    own = Recipe.of(average="parameters", batch_size=7, outer_momentum=0.0)
    assert for_replicas(own, 100, 50) == own and for_replicas(Recipe(), 100, 50) == Recipe()
    assert Recipe.of(average="parameters", schedule="bold-driver").rate_schedule == BoldDriver()


def test_an_optimizer_given_here_brings_its_own_rate_and_schedule(tmp_path):
    path = config_file(
        tmp_path, {**PLACES, "learning_rate": 0.5, "schedule": "cosine", "batch_size": 9, "clip": 1}
    )
    recipe = parser.parse(["--config", path, "--optimizer", "adam"]).recipe
    assert resolved(recipe).learning_rate == 0.001 and recipe.rate_schedule.name == "constant"
    assert recipe.batch_size == 9 and recipe.clip == 1
    recipe = parser.parse(["--config", path, "--optimizer", "l-bfgs"]).recipe
    assert recipe.batch_size is None and recipe.clip is None


def test_none_switches_off_what_the_file_says(tmp_path):
    values = {"augment": "flip", "batch_size": 9, "validation_fraction": 0.1, "patience": 3, "clip": None}
    path = config_file(tmp_path, {**PLACES, **values, "input_shape": [2, 2, 1]})
    words = ["--augment", "none", "--batch-size", "none", "--validation-fraction", "0"]
    recipe = parser.parse(["--config", path, *words]).recipe
    assert (recipe.augment, recipe.batch_size, recipe.patience, recipe.clip) == ((), None, None, None)


@pytest.mark.parametrize(
    ("words", "notes"),
    [
        ("", []),
        ("--epochs 5 --learning-rate 0.5 --hidden 5", []),
        (
            "--optimizer momentum",
            ["--optimizer momentum: learning-rate 0.003, schedule one-cycle and warmup 2 of {} do not apply"],
        ),
        (
            "--optimizer adam --learning-rate 0.1",
            ["--optimizer adam: schedule one-cycle and warmup 2 of {} do not apply"],
        ),
        ("--layers relu,dense:3", ["--layers relu,dense:3: hidden 32,16 of {} does not apply"]),
        (
            "--sample 0.5 --epochs 4",
            ["--sample 0.5: batch-size 50, average parameters and outer-momentum 0.5 of {} do not apply"],
        ),
        ("--average gradients", ["--average gradients: outer-momentum 0.5 of {} does not apply"]),
        ("--validation-fraction 0", ["--validation-fraction 0: patience 3 of {} does not apply"]),
        ("--validation-fraction 0.2", []),
        (
            "--validation-fraction 0 --sample 1 --average gradients",
            [
                "--validation-fraction 0: patience 3 of {} does not apply",
                "--sample 1: batch-size 50 and outer-momentum 0.5 of {} do not apply",
            ],
        ),
        (
            "--optimizer l-bfgs",
            [
                "--optimizer l-bfgs: learning-rate 0.003, schedule one-cycle, warmup 2, batch-size 50, clip 1.5, "
                "average parameters, outer-momentum 0.5 and average-weights ema:0.9 of {} do not apply"
            ],
        ),
    ],
)
def test_a_note_names_each_value_of_the_file_that_an_option_makes_void(tmp_path, words, notes):
    values = {**PLACES, "hidden": [32, 16], "optimizer": "adamw", "learning_rate": 0.003, "batch_size": 50}
    values |= {"average": "parameters", "outer_momentum": 0.5, "clip": 1.5, "schedule": "one-cycle"}
    values |= {"validation_fraction": 0.1, "patience": 3, "get_data": "make it", "l1": 0.0, "loss": "mse"}
    values |= {"average_weights": "ema:0.9"}
    path = config_file(tmp_path, values)
    values["warmup"] = 2  # which goes with no one-cycle: only where that is replaced
    if "optimizer" in words:
        path = config_file(tmp_path, values)
    parsed = parser.parse(["--config", path, *words.split()])
    assert list(parsed.notes) == [note.format(path) for note in notes]


def test_a_value_that_the_option_brings_by_itself_is_no_loss(tmp_path):
    path = config_file(tmp_path, parser.parse(FILES).for_cluster(2).resolved())
    assert parser.parse(["--config", path, "out", "--optimizer", "nesterov"]).notes == ()
    parsed = parser.parse(["--config", path, "out", "--optimizer", "adam", "--batch-size", "50"])
    assert parsed.notes == (
        f"--optimizer adam: learning-rate 0.1 and schedule bold-driver:1.15 of {path} do not apply",
        f"--batch-size 50: sample 0.7 of {path} does not apply",
    )


def test_notes_are_no_part_of_what_a_run_is(tmp_path):
    path = config_file(tmp_path, {**PLACES, "schedule": "cosine"})
    noted, plain = (
        parser.parse(words)
        for words in (["--config", path, "--optimizer", "adam"], [*FILES, "--optimizer", "adam"])
    )
    assert noted.notes and not plain.notes and noted == plain
    assert noted.resolved() == plain.resolved() and noted.for_cluster(2).notes == noted.notes


@pytest.mark.parametrize("recipe", sorted((ROOT / "recipes").glob("*.json")), ids=lambda path: path.stem)
def test_a_recipe_as_it_is_brings_no_note(recipe):
    has_data = "train_images" in json.loads(recipe.read_text())
    data = [] if has_data else ["a", "-", "b", "-"]
    words = [] if has_data else ["--label-column", "class"]
    arguments = [*data, "out", "--config", str(recipe), "--epochs", "3", "--seed", "4", *words]
    assert parser.parse(arguments).notes == ()


@pytest.mark.parametrize("name", ["shuffle_once", "overwrite", "resume", "check", "dry_run", "debug"])
def test_no_before_its_name_switches_off_a_flag_of_the_file(tmp_path, name):
    path = config_file(tmp_path, {**PLACES, name: True})
    on, off = f"--{name.replace('_', '-')}", f"--no-{name.replace('_', '-')}"
    for words, expected in (([], True), ([off], False), ([on, off], False), ([off, on], True)):
        parsed = parser.parse(["--config", path, *words])
        assert getattr(parsed, name) is expected and parsed.notes == ()
    assert getattr(parser.parse([*FILES, off]), name) is False


def test_a_flag_of_the_file_that_excludes_one_given_here_can_be_switched_off(tmp_path):
    path = config_file(tmp_path, {**PLACES, "overwrite": True})
    with pytest.raises(UsageError, match="--overwrite and --resume exclude each other"):
        parser.parse(["--config", path, "--resume"])
    parsed = parser.parse(["--config", path, "--resume", "--no-overwrite"])
    assert parsed.resume and not parsed.overwrite


def test_the_command_that_gets_the_data_is_of_the_files_own_places(tmp_path):
    path = config_file(tmp_path, {**PLACES, "get_data": "make it"})
    assert parser.parse(["--config", path]).get_data == "make it"
    assert parser.parse(["--config", path, *["v", "w", "x", "y", "z"]]).get_data is None


def test_one_configuration_at_a_time(tmp_path):
    path = config_file(tmp_path, PLACES)
    with pytest.raises(UsageError, match="--config: expected one recipe, found 2"):
        parser.parse(["--config", path, "--config", path])


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--batch-size 7 --optimizer adamw:0.1 --schedule one-cycle:0.4 --loss cross-entropy:0.1",
        "--layers residual(flatten,dense:16),layernorm,dropout:0.25 --validation-fraction 0.2 --patience 3",
        "--average parameters --optimizer adam --rounds-per-epoch 3 --outer-momentum 0.5 --average-weights last:4",
        "--average parameters",
        "--average parameters --epochs-per-round 4 --schedule cosine",
        "--optimizer l-bfgs:5 --l2 0.001 --class-weights balanced --initializer original",
        "--class-weights 0=2,1=0.1 --augment shift:2,elastic:3 --input-shape 4x4x1 --layers conv2d:2x2,flatten",
    ],
)
def test_the_resolved_configuration_gives_the_same_run_again(tmp_path, words):
    parsed = parser.parse([*FILES, *words.split()])
    path = config_file(tmp_path, parsed.for_cluster(3).resolved())
    again = parser.parse(["--config", path, "out"])
    assert resolved(again.recipe) == resolved(parsed.recipe) and again.partitions == 3
    assert again.sources() == parsed.sources()
    assert network_of(again.recipe, pixels(16, 2)) == network_of(parsed.recipe, pixels(16, 2))
    plan = plan_of(parsed.recipe, 100)
    assert plan_of(again.recipe, 100) == plan
    assert optimizer_of(again.recipe, plan) == optimizer_of(parsed.recipe, plan)
    assert again.resolved() == parsed.for_cluster(3).resolved()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected JSON, found Expecting property name"),
        ("[" * 100_000, "expected JSON, found brackets nested too deep"),
        ("[1]", "expected a JSON object, found list"),
        (" " * (1 << 20) + "{}", "expected at most 1,048,576 bytes, found 1,048,5"),
        ({"hiden": [3]}, "unknown key 'hiden'; known: hidden, "),
        ({"batch_size": 3, "batch-size": 4}, "batch_size is given twice"),
        ({"epochs": "3.5"}, "epochs: expected a whole number of at least 1, found '3.5'"),
        ({"epochs": True}, "epochs: expected a whole number of at least 1, found True"),
        ({"l2": float("nan")}, "l2: expected a finite number of at least 0, found nan"),
        ({"optimizer": {"nam": "adam"}}, "optimizer: expected an optimizer as a word or as"),
        ('{"epochs": 3, "epochs": 4}', "found the key 'epochs' twice"),
        ({"optimizer": {"name": "adam", "beta": 1}}, "takes the fields beta1, beta2, epsilon; found 'beta'"),
        ({"layers": []}, "layers: expected a list of layers, found []"),
        ({"layers": 3}, "layers: expected a list of layers, found 3"),
        ({"about": 3}, "about: expected a text, found 3"),
        ({"output": ""}, "output: expected a path, found ''"),
        ({"output": "a\0b"}, r"output: expected a path, found 'a\x00b'"),
        ({"overwrite": 1}, "overwrite: expected true or false, found 1"),
        ({"sample": 0.5, "batch_size": 2}, "sample and batch-size exclude each other"),
    ],
)
def test_config_refuses_in_one_line(tmp_path, content, message):
    path = config_file(tmp_path, content)
    with pytest.raises(UsageError) as caught:
        parser.parse([*FILES, "--config", path])
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_config_that_is_not_there_is_named():
    with pytest.raises(UsageError, match="--config: cannot read nowhere.json: No such file"):
        parser.parse([*FILES, "--config", "nowhere.json"])


def test_places_are_five_or_one_beside_a_configuration(tmp_path):
    with pytest.raises(UsageError, match="required: TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS"):
        parser.parse(["--config", config_file(tmp_path, {}), "out"])
    with pytest.raises(UsageError, match="required: TEST_LABELS, OUTPUT"):
        parser.parse(["--config", config_file(tmp_path, {}), "a", "b", "c"])


def test_a_missing_file_is_told_with_the_command_that_makes_it():
    parsed = parser.parse(FILES)
    helpful = dataclasses.replace(parsed, get_data="python generate_data.py")
    for each, end in (
        (parsed, "no such file"),
        (helpful, "no such file; make it with: python generate_data.py"),
    ):
        with pytest.raises(MissingFileError, match=f"{end}$"), each.get_data_hint():
            raise MissingFileError("no such file")


@pytest.mark.parametrize(("content", "words"), [("", []), ("5\n", ["--label-column", "0"]), ("\n1,2\n", [])])
def test_a_file_without_inputs_is_left_to_those_who_read_it(tmp_path, content, words):
    path = tmp_path / "x.csv"
    path.write_text(content)
    paths = [str(path), "-" if words else str(path)] * 2
    assert parser.parse([*paths, "out", *words]).train_images == str(path)
