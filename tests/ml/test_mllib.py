"""The exchange of models with Spark's MultilayerPerceptronClassificationModel."""

import numpy as np
import pytest

from nn.core.errors import UsageError
from nn.ml import NeuralNetworkClassifier, from_mllib, to_mllib


def probabilities(model, frame):
    """The probabilities of all rows, (n, k)."""
    return np.array([row.probability.toArray() for row in model.transform(frame).collect()])


def test_a_model_of_spark_becomes_ours_and_theirs_again(session, iris, tmp_path):
    from pyspark.ml.classification import MultilayerPerceptronClassifier

    theirs = MultilayerPerceptronClassifier(layers=[4, 5, 3], maxIter=10, seed=3, predictionCol="p").fit(iris)
    ours = from_mllib(theirs)
    assert (ours.getPredictionCol(), ours.getLayers(), ours.getSeed()) == ("p", [4, 5, 3], 3)
    assert probabilities(ours, iris) == pytest.approx(probabilities(theirs, iris), abs=1e-5)
    again = to_mllib(ours, session)
    assert again.weights.toArray() == pytest.approx(theirs.weights.toArray(), rel=1e-6)
    assert again.getPredictionCol() == "p"
    theirs.save(str(tmp_path / "theirs"))
    assert from_mllib(str(tmp_path / "theirs")).weights == ours.weights


@pytest.mark.parametrize("scale", ["none", "standard", "minmax", "largest"])
def test_scales_are_folded_into_the_first_layer(session, iris, scale):
    model = NeuralNetworkClassifier(layers=[4, 3, 3], maxIter=3, scale=scale).fit(iris)
    assert probabilities(to_mllib(model, session), iris) == pytest.approx(
        probabilities(model, iris), abs=1e-5
    )


def test_one_logit_becomes_two(session, xor):
    model = NeuralNetworkClassifier(layerSpec="dense:3,sigmoid", loss="binary-cross-entropy", maxIter=3).fit(
        xor
    )
    assert probabilities(to_mllib(model, session), xor) == pytest.approx(probabilities(model, xor), abs=1e-5)
    assert model.predictRaw([0.0, 1.0]).toArray().shape == (2,)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (
            {"layerSpec": "dense:3,relu"},
            "layer 2 relu: expected dense layers with a sigmoid between two of them",
        ),
        ({"layerSpec": "dense:3"}, "layer 2 dense:2: expected"),
        ({"layers": [2, 3, 2], "loss": "mse"}, "the loss mse: expected cross-entropy"),
        (
            {"layers": [2, 3, 2], "missing": "mean"},
            "column '0': expected a column of numbers, found missing values that the model fills",
        ),
    ],
)
def test_a_layer_that_spark_has_not_is_named(session, xor, params, expected):
    model = NeuralNetworkClassifier(**params, maxIter=1).fit(xor)
    with pytest.raises(UsageError, match=expected):
        to_mllib(model, session)
