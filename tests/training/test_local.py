"""Training on arrays in memory: what the job does, without Spark."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nn
from nn.core.errors import DivergenceError
from nn.data.hold_out import HoldOut
from nn.data.split import Split
from nn.io import package
from nn.optim.rules import Adam
from nn.training import recipe_files
from nn.training.assembly import network_of
from nn.training.backend import Facts
from nn.training.run import TrainingRun
from tests.support import ROOT
from tests.support.data import blobs
from tests.support.networks import pixels

INPUTS, LABELS = blobs(300)


def test_fit_learns_and_predicts():
    classifier, history = nn.fit(
        INPUTS, LABELS, hidden=[16], activation="relu", loss="cross-entropy", optimizer="adam", batch_size=50,
        learning_rate=0.01, epochs=10, scale="largest",
    )  # fmt: skip
    test_inputs, test_labels = blobs(100, seed=5)
    assert np.mean(classifier.predict(test_inputs) == test_labels) > 0.95
    assert [line.epoch for line in history] == list(
        range(1, 11)
    ) and classifier.model.encoder.scale == INPUTS.max()


def test_fit_takes_images_validation_augmentation_and_weights():
    classifier, history = nn.fit(
        INPUTS.reshape(-1, 4, 4, 1),
        LABELS,
        nn.Recipe.of(
            layers="conv2d:8x2,relu,flatten,dropout:0.1", loss="cross-entropy:0.05", epochs=8, patience=2,
            optimizer="adamw", schedule="one-cycle", learning_rate=0.02, batch_size=40, validation_fraction=0.2,
            augment="scale:0.05", class_weights="balanced", l2=1e-4, clip=5.0,
        ),
        weights=np.linspace(0.5, 1.5, 300),
    )  # fmt: skip
    assert all(line.val_cost > 0 and line.rows < 300 for line in history)
    assert classifier.predict_proba(INPUTS[:5]).shape == (5, 3)
    assert history[-1].val_accuracy > 0.6


@pytest.mark.parametrize(
    "options",
    [
        {"sample": 0.5},
        {"batch_size": 64},
        {"average": "parameters"},
        {"optimizer": "l-bfgs"},
        {"layers": "dense:4,relu,dropout:0.5"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_fit_gives_the_same_bits_again(options):
    runs = [nn.fit(INPUTS, LABELS, epochs=4, **options) for _ in range(2)]
    first, second = (run.classifier.params for run in runs)
    assert all(np.array_equal(a[key], b[key]) for a, b in zip(first, second, strict=True) for key in a)


def test_fit_descends_in_mini_batches_as_one_replica():
    options = {
        "hidden": [16],
        "activation": "relu",
        "loss": "cross-entropy",
        "optimizer": "momentum",
        "l2": 1e-4,
    }
    classifier, history = nn.fit(
        INPUTS, LABELS, average="parameters", batch_size=20, learning_rate=0.05, epochs=6, validation_fraction=0.2,
        **options,
    )  # fmt: skip
    assert history[-1].accuracy > 0.95 and history[-1].val_accuracy > 0.9 and history[-1].rows < 300
    test_inputs, test_labels = blobs(100, seed=5)
    assert np.mean(classifier.predict(test_inputs) == test_labels) > 0.93


def test_twenty_layers_train():
    words = ",".join(["dense:24,relu"] * 20)
    classifier, history = nn.fit(
        INPUTS, LABELS, layers=words, loss="cross-entropy", optimizer="adam", batch_size=50, epochs=12
    )
    assert len(classifier.model.layers) == 41 and history[-1].accuracy > 0.95


def test_fit_keeps_the_shape_of_images():
    for shape, expected in (((2, 8, 1), (2, 8, 1)), ((4, 4), (4, 4, 1)), ((2, 2, 4), (2, 2, 4))):
        images = INPUTS.reshape(-1, *shape)
        model = nn.fit(images, LABELS, layers="conv2d:3x2,relu,flatten", epochs=1).classifier.model
        assert model.input_shape == expected
        model = nn.fit(images, LABELS, hidden=[3], epochs=1).classifier.model
        assert model.input_shape == expected and model.layers[0].name == "flatten"
    with pytest.raises(ValueError, match="expected images of the input shape .16,., got .4, 4, 1."):
        nn.fit(INPUTS.reshape(-1, 4, 4), LABELS, input_shape=[16])
    with pytest.raises(ValueError, match="needs an image of at least 3x3, got an image of 2x8x1"):
        nn.fit(INPUTS.reshape(-1, 2, 8, 1), LABELS, layers="conv2d:3x3,relu,flatten")


def test_fit_makes_squares_of_rows_that_are_to_be_augmented():
    model = nn.fit(INPUTS, LABELS, augment="shift:1", epochs=1).classifier.model
    assert model.input_shape == (4, 4, 1) and model.layers[0].name == "flatten"


def test_fit_takes_what_python_users_have():
    lines = []
    same = [
        nn.fit(
            INPUTS.tolist(),
            LABELS.tolist(),
            hidden=(8,),
            epochs=np.int64(3),
            optimizer=Adam(),
            watch=lines.append,
        ),
        nn.fit(INPUTS, LABELS, hidden=[8], epochs=3, optimizer="adam"),
    ]
    assert np.array_equal(*(fit.classifier.params[0]["W"] for fit in same))
    assert [line.epoch for line in lines] == [1, 2, 3]
    lines.clear()
    nn.fit(INPUTS, LABELS, epochs=3, average="parameters", epochs_per_round=2, watch=lines.append)
    assert [line.epoch for line in lines] == [1, 2, 3]
    signed = (INPUTS.astype(int) - 128).astype(np.int8)
    assert nn.fit(signed, LABELS, epochs=1, scale="largest").classifier.model.encoder.scale == 128
    recipe = nn.fit(INPUTS, LABELS, str(ROOT / "recipes" / "original.json"), np.ones(300))
    assert len(recipe.history) == 100


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.where(LABELS == 0, -1.0, 1.0), "expected weights from 0 to 1e[+]09, got -1 to 1"),
        (np.full(300, np.nan), "expected weights from 0"),
        (np.full(300, 1e10), "expected weights from 0 to 1e[+]09, got 1e[+]10 to 1e[+]10"),
        (np.ones(299), "expected 300 weights .n,., got an array of shape .299,."),
        (np.ones((300, 1)), "expected 300 weights"),
        (np.zeros(300), "expected training rows with a total weight above 0, found 0"),
        (
            np.where(HoldOut(0, 0.1, 300).mask(np.arange(300)), 0.0, 1.0),
            "expected validation rows with a total weight above 0",
        ),
    ],
)
def test_fit_refuses_weights_that_are_none(weights, message):
    with pytest.raises(ValueError, match=message):
        nn.fit(INPUTS, LABELS, weights=weights, validation_fraction=0.1, epochs=2)


def test_balanced_weights_are_of_the_rows_that_are_learned_from():
    held = HoldOut(0, 0.5, 300).mask(np.arange(300))
    other = np.where(held, 0, LABELS)  # other labels where nothing may be learned
    options = {"class_weights": "balanced", "validation_fraction": 0.5, "epochs": 2, "batch_size": 50}
    first, second = (nn.fit(INPUTS, labels, **options).classifier.params for labels in (LABELS, other))
    assert np.array_equal(first[0]["W"], second[0]["W"])


@pytest.mark.parametrize(
    "wrong",
    [{"optimizer": "adam"}, {"epochs": -5}, {"hidden": [3]}, {"layers": ("relu",)}, {"l2": True}],
    ids=str,
)
def test_recipe_refuses_at_construction_what_its_options_would(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        nn.Recipe(**wrong)


def test_fit_refuses_inputs_that_are_none():
    for inputs in (
        INPUTS.astype(str),
        INPUTS[:, :0],
        INPUTS[:0],
        np.where(INPUTS > 250, np.nan, INPUTS),
        INPUTS[:, 0],
    ):
        with pytest.raises(ValueError, match="expected inputs"):
            nn.fit(inputs, LABELS[: len(inputs)])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS[:-1], "expected 300 labels"),
        (LABELS * 10**12, "labels, row .: expected a class number in 0..999, found .e[+]12"),
        (
            LABELS / 1 + (np.arange(300) == 7) / 2,
            r"labels, row 7: expected a class, found \d.5; .* task=\"regression\"",
        ),
        (
            np.where(np.arange(300) == 7, np.nan, LABELS),
            "labels, row 7: expected a label, found a missing value",
        ),
        (np.eye(3)[LABELS] / 2, "labels, row 0: expected a one-hot row: a single 1 among 3 values"),
        (np.zeros((300, 2)), "labels, row 0: expected a one-hot row"),
        (np.zeros((300, 2, 2)), r"expected 300 labels, \(n,\)"),
        (["a"] * 300, "labels: expected at least 2 classes, found class a alone"),
        (np.zeros(300), "labels: expected at least 2 classes, found class 0 alone"),
        (np.full((300, 1), 7), "labels: expected at least 2 classes, found class 7 alone"),
        (np.eye(3)[np.ones(300, int)], "labels: expected at least 2 classes, found class 1 alone"),
    ],
)
def test_fit_refuses_labels_that_are_none(labels, message):
    with pytest.raises(ValueError, match=message):
        nn.fit(INPUTS, labels)


def test_a_classifier_predicts_many_rows_in_parts_as_few_at_once():
    classifier, _ = nn.fit(INPUTS, LABELS, epochs=2)
    many = np.tile(INPUTS, (8, 1))
    assert np.array_equal(classifier.predict(many), np.tile(classifier.predict(INPUTS), 8))
    assert np.allclose(classifier.predict_proba(many)[-300:], classifier.predict_proba(INPUTS), atol=1e-6)
    assert classifier.predict(INPUTS[:0]).shape == (0,) and classifier.predict_proba(INPUTS[:0]).shape == (
        0,
        3,
    )


@pytest.mark.parametrize(
    "labels",
    [
        LABELS.astype(float),
        LABELS.astype(np.uint8),
        LABELS[:, None],
        LABELS[:, None] * 1.0,
        np.eye(3)[LABELS],
        np.eye(3, dtype=bool)[LABELS],
        np.eye(3)[LABELS].tolist(),
    ],
    ids=lambda labels: f"{getattr(labels, 'dtype', 'list')}{np.shape(labels)}",
)
def test_fit_takes_labels_as_the_job_does(labels):
    found, expected = (nn.fit(INPUTS, each, epochs=2).classifier.params for each in (labels, LABELS))
    assert all(np.array_equal(a[key], b[key]) for a, b in zip(found, expected, strict=True) for key in a)


def test_fit_takes_true_and_false_for_two_classes():
    classifier, _ = nn.fit(INPUTS, LABELS > 0, epochs=2)
    other, _ = nn.fit(INPUTS, (LABELS > 0).astype(int), epochs=2)
    assert classifier.classes == 2 and np.array_equal(classifier.params[0]["W"], other.params[0]["W"])


def changed(inputs, place, value):
    """Inputs as float64 with one value set."""
    inputs = np.array(inputs, float)
    inputs[place] = value
    return inputs


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.nan, "expected inputs of finite numbers, found nan in row 7, column 3"),
        (-np.inf, "expected inputs of finite numbers, found -inf in row 7, column 3"),
        (1e300, r"expected inputs within float32, up to 3.4e\+38, found 1e\+300 in row 7, column 3"),
    ],
)
def test_a_value_that_is_no_number_of_float32_is_named_in_training_and_prediction(value, message):
    wrong = changed(INPUTS, (7, 3), value)
    with pytest.raises(ValueError, match=message):
        nn.fit(wrong, LABELS, epochs=2)
    classifier, _ = nn.fit(INPUTS, LABELS, epochs=1)
    many = np.concatenate([np.tile(INPUTS, (4, 1)), wrong])  # a later part than the first
    for predict in (classifier.predict, classifier.predict_proba):
        with pytest.raises(ValueError, match=message.replace("row 7", "row 1207")):
            predict(many)
    images = changed(INPUTS.reshape(-1, 4, 4), (7, 0, 3), value)
    with pytest.raises(ValueError, match=message.replace("in row 7, column 3", r"at \[7, 0, 3\]")):
        classifier.predict(images)


def test_large_values_whose_sum_alone_float32_does_not_hold_are_no_fault():
    classifier, _ = nn.fit(np.where(INPUTS > 120, 3e38, 1e30), LABELS, epochs=2)
    assert classifier.predict(np.full((2, 16), 3e38)).shape == (2,)


def test_inputs_are_what_float32_makes_of_them_as_in_the_job():
    fine = INPUTS / 3 + 1e-12  # the largest one is another number in float64
    first, second = (nn.fit(each, LABELS, epochs=3).classifier for each in (fine, fine.astype(np.float32)))
    assert first.model.encoder == second.model.encoder
    assert np.array_equal(first.params[0]["W"], second.params[0]["W"])


def test_inputs_too_small_for_float32_are_the_datas_fault():
    for factor in (1e-300, 1e-43):
        with pytest.raises(ValueError, match="expected some inputs of at least 1.18e-38"):
            nn.fit(INPUTS * factor, LABELS, epochs=2)
    tiny = changed(INPUTS, (0, 0), 1e-300)  # one that becomes 0 is as good as 0
    assert np.array_equal(
        nn.fit(tiny, LABELS, epochs=2).classifier.params[0]["W"],
        nn.fit(changed(INPUTS, (0, 0), 0), LABELS, epochs=2).classifier.params[0]["W"],
    )
    assert nn.fit(
        INPUTS * 1e-36, LABELS, epochs=2, scale="largest"
    ).classifier.model.encoder.scale == pytest.approx(255e-36)


def test_divergence_names_arguments_and_no_options():
    with pytest.raises(DivergenceError) as caught:
        nn.fit(
            INPUTS,
            LABELS,
            learning_rate=1e30,
            schedule="constant",
            epochs=9,
            activation="relu",
            hidden=[8, 8],
            loss="cross-entropy",
        )
    assert str(caught.value).endswith('; try learning_rate=1e+29 or schedule="bold-driver"')
    for wrong in ({"patience": 3}, {"rounds_per_epoch": 2}, {"sample": 0.5, "batch_size": 3}, {"warmup": 3}):
        with pytest.raises(ValueError) as refused:
            nn.fit(INPUTS, LABELS, **wrong)
        assert "--" not in str(refused.value) and next(reversed(wrong)) in str(refused.value)


def test_predict_refuses_what_are_no_rows_of_its_width():
    classifier, _ = nn.fit(INPUTS, LABELS, epochs=1)
    for row in (INPUTS[0], INPUTS[0].reshape(4, 4)):
        with pytest.raises(
            ValueError, match=r"expected rows \(n, 16\), got one row of shape \((16,|4, 4)\); put"
        ):
            classifier.predict(row)
        assert classifier.predict([row]).shape == (1,)
    for wrong in (INPUTS[:, :3], INPUTS[:3, 0], []):
        with pytest.raises(ValueError, match="expected rows of 16 values, got an array of shape"):
            classifier.predict_proba(wrong)
    for wrong in (INPUTS.astype(str), 5, None, np.full((2, 16), None)):
        with pytest.raises(ValueError, match="expected inputs .n, .... of numbers, got"):
            classifier.predict(wrong)


def test_a_classifier_saves_itself(tmp_path):
    classifier, _ = nn.fit(INPUTS, LABELS, epochs=2)
    classifier.save(tmp_path / "model.npz")
    again = nn.load(tmp_path / "model.npz")
    assert np.array_equal(again.predict_proba(INPUTS), classifier.predict_proba(INPUTS))
    nn.save(tmp_path / "other.npz", classifier.model, classifier.params)
    assert (tmp_path / "other.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()
    again.save(str(tmp_path / "model.npz"))
    assert (tmp_path / "other.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


def test_a_recipe_is_one_or_the_name_or_path_of_one(tmp_path):
    (tmp_path / "r.json").write_text('{"epochs": 2}')
    assert len(nn.fit(INPUTS, LABELS, tmp_path / "r.json").history) == 2
    with pytest.raises(ValueError, match="expected a recipe, its name or the path of one, got int"):
        nn.fit(INPUTS, LABELS, 5)


def test_a_recipe_may_be_named_in_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert nn.Recipe.read("tabular") == nn.Recipe.read(str(ROOT / "recipes" / "tabular.json"))
    for word in ("r", "MLP", "", "\0", "x" * 300):
        with pytest.raises(
            ValueError, match=r"expected the name of a recipe \(binary, cnn, .*, tabular\) or the path"
        ):
            nn.Recipe.read(word)
    with pytest.raises(ValueError, match=r"cannot read tabular.json"):
        nn.Recipe.read("tabular.json")
    with pytest.raises(ValueError, match="cannot read cnn"):
        nn.Recipe.read(Path("cnn"))  # a path is no name
    (tmp_path / "mlp").mkdir()
    assert nn.Recipe.read("mlp").epochs == 85


def test_a_file_goes_before_a_recipe_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("r", "cnn"):
        (tmp_path / name).write_text('{"epochs": 3}')
        for recipe in (name, Path(name)):
            assert nn.Recipe.read(recipe) == nn.Recipe(epochs=3)


def test_a_recipe_is_read_by_its_name_from_the_package_in_a_zip_file(tmp_path):
    package.write_zip(tmp_path / "nn.zip")
    code = "import nn; print(nn.__file__, nn.Recipe.read('tabular').epochs)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "nn.zip")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [str(tmp_path / "nn.zip" / "nn" / "__init__.py"), "150"]


@pytest.mark.filterwarnings("error")
def test_half_precision_is_taken_without_a_warning():
    nn.fit((INPUTS / INPUTS.max()).astype(np.float16), LABELS, epochs=20, optimizer="l-bfgs")


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_network_no_better_than_a_constant_is_a_warning(task):
    with pytest.warns(UserWarning, match="always predicting the m"):
        nn.fit(INPUTS, LABELS, task=task, epochs=1, learning_rate=1e-9)


@pytest.mark.filterwarnings("error")
def test_row_weights_may_ask_for_less_accuracy_than_the_most_frequent_class():
    rng = np.random.default_rng(0)
    inputs, labels = rng.normal(size=(300, 2)), rng.random(300) < 0.25
    fit = nn.fit(inputs, labels, weights=np.where(labels, 3.0, 1.0), epochs=40)
    accuracy = (fit.classifier.predict(inputs) == labels).mean()
    assert accuracy < 1 - labels.mean() and len(set(fit.classifier.predict(inputs).tolist())) == 2


def test_a_recipe_file_may_hold_keys_of_the_run(tmp_path):
    (tmp_path / "r.json").write_text(
        '{"epochs": 3, "train_images": "x", "label-column": 0, "about": "y", "debug": true}'
    )
    assert nn.Recipe.read(str(tmp_path / "r.json")) == nn.Recipe(epochs=3)


def test_recipe_refuses_keys_that_nobody_knows(tmp_path):
    (tmp_path / "r.json").write_text('{"epoch": 3, "train_images": "x"}')
    with pytest.raises(ValueError, match="unknown option 'epoch'"):
        nn.Recipe.read(str(tmp_path / "r.json"))


def test_options_replace_those_of_the_recipe():
    recipe = nn.Recipe.of(epochs=3, optimizer="adam")
    assert recipe.replace(epochs=2) == nn.Recipe.of(epochs=2, optimizer="adam")
    classifier, history = nn.fit(INPUTS, LABELS, recipe, epochs=2)
    alone, _ = nn.fit(INPUTS, LABELS, epochs=2, optimizer="adam")
    assert len(history) == 2
    assert (classifier.predict_proba(INPUTS) == alone.predict_proba(INPUTS)).all()
    with pytest.raises(ValueError, match="epochs: expected a whole number of at least 1, found 0"):
        recipe.replace(epochs=0)


def test_an_option_replaces_those_of_the_recipe_that_do_not_go_with_it():
    """As on the command line."""
    mlp = nn.Recipe.read("mlp")
    other = mlp.replace(optimizer="sgd", hidden=8)
    assert (other.learning_rate, other.schedule, other.layers) == (None, None, None)
    assert other.average == mlp.average and other.epochs == mlp.epochs
    assert mlp.replace(optimizer="sgd", learning_rate=0.3).learning_rate == 0.3
    assert mlp.replace(sample=0.5).average == nn.Recipe().average
    assert nn.Recipe.read("original").replace(batch_size=10).sample is None
    assert nn.Recipe.read("cnn").replace(augment=None).augment == ()
    assert mlp.replace(optimizer=None) == mlp.replace(
        optimizer=None, learning_rate=None, schedule=None, warmup=None
    )
    held_out = nn.Recipe.of(validation_fraction=0.1, patience=3)
    assert held_out.replace(validation_fraction=None).patience is None
    rounds = nn.Recipe.of(average="parameters", rounds_per_epoch=4)
    assert rounds.replace(epochs_per_round=None) == rounds
    assert rounds.replace(epochs_per_round=2).rounds_per_epoch == nn.Recipe().rounds_per_epoch


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("sample", 0.5),
        ("batch_size", 10),
        ("clip", 1.0),
        ("l1", 0.1),
        ("average", "parameters"),
        ("outer_momentum", 0.5),
        ("average_weights", "last:2"),
    ],
)
def test_l_bfgs_replaces_what_it_does_not_support(option, value):
    beside = {"average": "parameters"} if option == "outer_momentum" else {}
    recipe = nn.Recipe.of(optimizer="sgd", **{option: value}, **beside)
    assert recipe.replace(optimizer="l-bfgs") == nn.Recipe.of(optimizer="l-bfgs")


def test_a_key_that_is_given_twice_is_refused(tmp_path):
    (tmp_path / "r.json").write_text('{"batch-size": 3, "batch_size": 5}')
    with pytest.raises(ValueError, match="batch_size is given twice"):
        nn.Recipe.read(tmp_path / "r.json")


def test_a_word_with_a_folder_is_a_path_and_a_long_one_is_cut():
    with pytest.raises(ValueError, match="cannot read ./cnn"):
        nn.Recipe.read("./cnn")
    with pytest.raises(ValueError, match="expected the name of a recipe") as raised:
        nn.Recipe.read("x" * 5000)
    assert len(str(raised.value)) < 300


def test_a_package_without_recipes_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(recipe_files, "FOLDERS", (tmp_path / "none",))
    with pytest.raises(ValueError, match="expected the path of a recipe: this copy of the package has none"):
        nn.Recipe.read("cnn")


def test_numbers_of_numpy_are_taken_in_lists_too():
    assert nn.Recipe.of(hidden=[np.int64(3), np.int32(2)]) == nn.Recipe.of(hidden=[3, 2])


def test_a_table_of_labels_alone_is_refused():
    with pytest.raises(ValueError, match="expected a column of inputs beside the labels, found none"):
        nn.fit({"y": np.arange(4) % 2}, "y")


def test_fit_refuses_what_is_unknown():
    with pytest.raises(ValueError, match="unknown option 'epoch'; known: hidden, "):
        nn.fit(INPUTS, LABELS, epoch=3)
    with pytest.raises(ValueError, match="batch_size: expected a whole number of at least 1, found 0"):
        nn.fit(INPUTS, LABELS, batch_size=0)


RECIPES = sorted((ROOT / "recipes").glob("*.json"))


OF_TABLES = ("regression", "tabular")  # recipes for the user's own tables


@pytest.mark.parametrize("name", OF_TABLES)
def test_recipe_of_tables_names_no_data(name):
    path = ROOT / "recipes" / f"{name}.json"
    recipe, about = nn.Recipe.read(str(path)), json.loads(path.read_text())
    assert recipe.is_regression == (name == "regression") and recipe.patience and recipe.missing != "error"
    assert about["about"] and not {"get_data", "train_images", "test_images"} & about.keys()


@pytest.mark.parametrize("path", [p for p in RECIPES if p.stem not in OF_TABLES], ids=lambda path: path.stem)
def test_recipe_fits_images_of_its_data(path):
    recipe, about = nn.Recipe.read(str(path)), json.loads(Path(path).read_text())
    assert network_of(recipe, pixels(784, 2 if "binary" in path.stem else 10)).classes in (2, 10)
    assert about["about"] and about["get_data"].startswith("python generate_data.py")


def test_there_are_the_recipes_that_are_promised():
    assert {"original", "binary", "mlp", "cnn", "lbfgs", *OF_TABLES} <= {path.stem for path in RECIPES}


def test_fit_takes_any_two_labels_for_a_binary_loss():
    classifier, _ = nn.fit(np.eye(4), [-1, 2, -1, 2], loss="binary-cross-entropy", epochs=1)
    assert classifier.classes == 2 and set(classifier.predict(np.eye(4)).tolist()) <= {-1, 2}
    with pytest.raises(ValueError, match="binary-cross-entropy: expected labels 0 and 1, found 0 and 2"):
        nn.fit(np.eye(4), [0, 2, 0, 2], loss="binary-cross-entropy", epochs=1)


def test_a_run_that_scales_columns_is_refused_without_their_statistics():
    recipe = nn.Recipe.of(epochs=1)
    with pytest.raises(ValueError, match="expected the statistics of the columns"):
        TrainingRun.of(recipe, Facts(4, np.arange(8) % 2, 2))
    assert TrainingRun.of(recipe, Facts.of_shapes(4, 2), Split(8)).model.input_shape == (4,)
