"""The Params of the stages: words and values of the command line, checked by the same constraints; no JVM."""

import inspect

import pytest

pytest.importorskip("pyspark")

from nn.core.errors import UsageError
from nn.ml import (
    NeuralNetworkClassificationModel,
    NeuralNetworkClassifier,
    NeuralNetworkRegressor,
)
from nn.ml.fit_plan import fit_plan
from nn.ml.params import OPTIONS
from nn.optim.lbfgs import LBFGS
from nn.optim.rules import SGD, Adam
from nn.training.convergence import StopDescent, StopLBFGS, never
from nn.training.recipe import Recipe


def plan_of(**params):
    """The plan of a classifier."""
    return fit_plan(NeuralNetworkClassifier(**params), False)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("layers", [4], "two or more sizes"),
        ("layers", [4, 0, 3], "two or more sizes"),
        ("maxIter", -1, "a whole number of at least 0, found -1"),
        ("tol", -0.1, "a finite number of at least 0"),
        ("stepSize", 0.0, "a finite number above 0"),
        ("solver", "adam", "one of l-bfgs, gd"),
        ("layerSpec", "dens:3", "dens"),
        ("optimizer", "adm", "known"),
        ("batchSize", 0, "a whole number of at least 1"),
        ("learningRate", "fast", "a finite number above 0"),
        ("validationFraction", 1.0, "a number in"),
        ("scale", "unit", "one of standard"),
        ("classWeights", "0=-1", "weight"),
        ("thresholds", [0.0, 0.0, 1.0], "at most one is 0"),
        ("thresholds", [-1.0, 1.0], "at least 0"),
        ("featuresCol", [], "the name of a column"),
        ("numPartitions", 0, "a whole number of at least 1"),
    ],
)
def test_a_value_that_a_param_cannot_have_is_refused(name, value, expected):
    with pytest.raises((ValueError, TypeError), match=expected):
        NeuralNetworkClassifier(**{name: value})


def test_values_are_kept_plain():
    stage = NeuralNetworkClassifier(
        layerSpec="dense:128, relu,dropout:0.2",
        inputShape=[28, 28, 1],
        optimizer="adamw:weight_decay=0.1",
        classWeights={"0": 1, "1": 2.5},
        thresholds=(0.5, 1),
    )
    assert stage.getLayerSpec() == "dense:128,relu,dropout:0.2"
    assert stage.getInputShape() == [28, 28, 1]
    assert stage.getOptimizer() == "adamw:0.1"
    assert stage.getClassWeights() == "0=1.0,1=2.5"
    assert stage.getThresholds() == [0.5, 1.0]


def test_a_param_stands_for_each_option_that_it_names():
    stage = NeuralNetworkClassifier()
    text = stage.explainParams()
    assert set(OPTIONS) <= {param.name for param in stage.params}
    assert all(f"{name}: " in text for name in OPTIONS)
    assert "--" not in text


def test_none_leaves_a_param_as_it_is_and_a_copy_does_not_share_params():
    stage = NeuralNetworkClassifier(layers=[2, 2], seed=None, tol=0.5)
    assert not stage.isSet("seed") and stage.getSeed() == 0
    other = stage.copy({stage.tol: 0.25, stage.maxIter: 7})
    assert (stage.getTol(), other.getTol(), other.getMaxIter()) == (0.5, 0.25, 7)
    assert other.setTol(1.0).uid == stage.uid and stage.getTol() == 0.5
    assert "maxIter" in inspect.signature(NeuralNetworkClassifier).parameters
    with pytest.raises(TypeError, match="keyword"):
        NeuralNetworkClassifier([2, 2])
    with pytest.raises(AttributeError, match="epochs"):
        NeuralNetworkClassifier(epochs=3)


def test_the_default_is_the_perceptron_of_spark():
    plan = plan_of(layers=[784, 100, 10])
    assert [layer.short_name for layer in plan.recipe.hidden_layers] == ["dense:100", "sigmoid"]
    assert plan.recipe.loss.name == "cross-entropy" and plan.recipe.scale == "none"
    assert isinstance(plan.recipe.optimizer, LBFGS) and plan.stop == StopLBFGS(1e-6, 100)
    assert (plan.request.width, plan.request.classes) == (784, 10)


def test_there_are_no_more_classes_than_class_numbers():
    assert plan_of(layers=[2, 1 << 15]).request.classes == 1 << 15
    with pytest.raises(UsageError, match="^layers: expected at most 32,768 classes last, found 32,769$"):
        plan_of(layers=[2, (1 << 15) + 1])


def test_solver_and_optimizer_choose_how_to_train():
    plan = plan_of(layers=[2, 2], solver="gd", stepSize=0.5, tol=1e-3, maxIter=9)
    assert isinstance(plan.recipe.optimizer, SGD) and plan.recipe.learning_rate == 0.5
    assert plan.recipe.sample == 1.0 and plan.recipe.epochs == 9 and plan.stop == StopDescent(1e-3)
    plan = plan_of(layers=[2, 2], optimizer="adam", batchSize=32, maxIter=5)
    assert isinstance(plan.recipe.optimizer, Adam) and plan.recipe.epochs == 5 and plan.stop == never
    plan = plan_of(layerSpec="dense:3,relu", optimizer="l-bfgs:5", maxIter=5)
    assert plan.stop == StopLBFGS(0.0, 5) and plan.recipe.epochs > 100


def test_columns_and_scale_follow_featurescol():
    plan = plan_of(layerSpec="dense:3", optimizer="adam", featuresCol=["a", "b"], weightCol="w")
    assert plan.recipe.scale is None and plan.request.columns == (("a", "b"), "label", "w", "")
    assert plan.request.width is None and plan.request.offsets
    assert not plan_of(layerSpec="dense:3", optimizer="adam").request.offsets


def test_a_recipe_gives_what_is_not_set(tmp_path):
    plan = plan_of(recipe="mlp")
    assert plan.recipe.layers is not None or plan.recipe.hidden is not None
    assert plan.epochs == plan.recipe.epochs and not isinstance(plan.recipe.optimizer, LBFGS)
    plan = plan_of(recipe="mlp", layerSpec="dense:7,relu", maxIter=3)
    assert (plan.epochs, plan.recipe.epochs) == (3, 3)
    assert [layer.short_name for layer in plan.recipe.hidden_layers] == ["dense:7", "relu"]
    (tmp_path / "mine.json").write_text('{"layers": "dense:5,tanh", "optimizer": "adam", "epochs": 2}')
    assert plan_of(recipe=str(tmp_path / "mine.json")).epochs == 2
    with pytest.raises(UsageError, match="recipe: expected the name of a recipe"):
        plan_of(recipe="mlpp")


@pytest.mark.parametrize("recipe", ["tabular", "mlp", "cnn", "original", "binary"])
@pytest.mark.parametrize(
    ("param", "value"),
    [("optimizer", "sgd"), ("batchSize", 7), ("sample", 0.4), ("patience", 3), ("layerSpec", "dense:8,relu")],
)
def test_a_param_replaces_what_does_not_go_with_it_as_everywhere(recipe, param, value):
    plan = plan_of(recipe=recipe, **{param: value}, validationFraction=0.1, seed=5)
    options = {OPTIONS[param]: value, "validation_fraction": 0.1, "seed": 5}
    assert plan.recipe == Recipe.read(recipe).replace(**options)


def test_layers_and_a_solver_replace_those_of_a_recipe():
    plan = plan_of(recipe="original", layers=[4, 3, 2], solver="gd", stepSize=0.5)
    assert [layer.short_name for layer in plan.recipe.hidden_layers] == ["dense:3", "sigmoid"]
    assert plan.recipe.sample == 1.0 and plan.recipe.learning_rate == 0.5
    assert isinstance(plan_of(recipe="tabular", solver="l-bfgs").recipe.optimizer, LBFGS)


def test_an_iteration_of_l_bfgs_may_take_all_its_trials():
    plan = plan_of(layers=[2, 2], optimizer="l-bfgs:max_trials=1", maxIter=5)
    assert plan.recipe.epochs == 5 * 2 + 1


def test_seeds_are_taken_as_numbers_of_64_bits():
    assert plan_of(layers=[2, 2], seed=-1).recipe.seed == (1 << 63) - 1
    assert plan_of(layers=[2, 2], seed=1 << 62).recipe.seed == 1 << 62


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"layers": [2, 2], "solver": "gd", "optimizer": "adam"}, "solver and optimizer exclude each other"),
        ({"layers": [2, 2], "layerSpec": "dense:3"}, "layers and layerSpec exclude each other"),
        ({}, "expected layers="),
        ({"layers": [2, 2], "batchSize": 8}, "l-bfgs and batchSize exclude.*set optimizer"),
        ({"layerSpec": "dense:3,dropout:0.5"}, "l-bfgs and dropout exclude.*set optimizer"),
        ({"layers": [2, 2], "solver": "l-bfgs", "learningRate": 1.0}, "l-bfgs and learningRate exclude"),
        ({"layers": [2, 2], "patience": 3}, "patience needs validationIndicatorCol or validationFraction"),
        ({"layers": [2, 2], "validationIndicatorCol": "v", "validationFraction": 0.5}, "exclude each other"),
        ({"layers": [2, 2], "optimizer": "adam", "roundsPerEpoch": 3}, "roundsPerEpoch needs averaging="),
        ({"layers": [2, 2], "loss": "huber:1"}, "loss huber needs"),
    ],
)
def test_params_that_exclude_or_need_each_other_are_named(params, expected):
    with pytest.raises(UsageError, match=expected) as raised:
        plan_of(**params)
    if "solver" in params:
        assert "set optimizer" not in str(raised.value)


def test_a_regressor_has_no_params_of_classes():
    with pytest.raises(UsageError, match="layers: expected 1 output of a regression last, found 2"):
        fit_plan(NeuralNetworkRegressor(layers=[3, 2]), True)
    stage = NeuralNetworkRegressor(layers=[3, 4, 1])
    assert not stage.hasParam("thresholds") and not stage.hasParam("classWeights")
    plan = fit_plan(stage, True)
    assert plan.recipe.is_regression and plan.recipe.used_loss.name == "mse" and plan.request.classes is None


def test_a_model_without_a_network_says_so():
    model = NeuralNetworkClassificationModel()
    assert not model.hasSummary and "NeuralNetworkClassificationModel" in repr(model)
    with pytest.raises(RuntimeError, match="No training summary"):
        model.summary()
