"""Code for Spark's MultilayerPerceptronClassifier runs with the class name changed, and predicts no worse."""

import doctest
import inspect
from pathlib import Path

import numpy as np
import pyspark
import pytest

from nn.core.errors import DataError
from nn.ml import NeuralNetworkClassificationModel, NeuralNetworkClassifier

EXAMPLE = "examples/src/main/python/ml/multilayer_perceptron_classification.py"
THEIRS, OURS = "MultilayerPerceptron", "NeuralNetwork"


def with_our_names(text):
    """Spark's code with the import changed."""
    text = text.replace(
        "from pyspark.ml.classification import MultilayerPerceptron", f"from nn.ml import {OURS}"
    )
    return text.replace(THEIRS, OURS)


def test_the_example_of_the_documentation_runs_and_is_as_accurate(
    session, iris, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    lines = []
    for label, values in iris.collect():
        cells = " ".join(f"{number}:{value!r}" for number, value in enumerate(values.toArray().tolist(), 1))
        lines.append(f"{label:g} {cells}\n")
    (tmp_path / "data" / "mllib").mkdir(parents=True)
    (tmp_path / "data/mllib/sample_multiclass_classification_data.txt").write_text("".join(lines))
    text = (Path(pyspark.__file__).parent / EXAMPLE).read_text()
    text = text.replace("spark.stop()", "").replace('"data/mllib', f'"file://{tmp_path}/data/mllib')
    found = []
    for code in (text, with_our_names(text)):
        exec(compile(code, EXAMPLE, "exec"), {"__name__": "__main__"})
        found.append(float(capsys.readouterr().out.rpartition("=")[2]))
    assert found[1] >= found[0] > 0.85


def test_the_examples_of_the_class_run(session, tmp_path):
    from pyspark.ml.classification import MultilayerPerceptronClassifier

    text = with_our_names(inspect.getdoc(MultilayerPerceptronClassifier).partition("--------\n")[2])
    names = {"spark": session, "temp_path": str(tmp_path)}
    names |= {kind.__name__: kind for kind in (NeuralNetworkClassifier, NeuralNetworkClassificationModel)}
    test = doctest.DocTestParser().get_doctest(text, names, "mlpc", "mlpc", 0)
    test.examples = [
        one for one in test.examples if "predictRaw" not in one.source
    ]  # whose logits are theirs
    assert len(test.examples) > 20
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert result.failed == 0


def test_params_have_the_names_and_defaults_of_spark(session):
    from pyspark.ml.classification import MultilayerPerceptronClassifier

    theirs, ours = MultilayerPerceptronClassifier(), NeuralNetworkClassifier()
    for param in theirs.params:
        assert ours.hasParam(param.name)
        if theirs.hasDefault(param) and param.name != "seed":
            assert ours.getOrDefault(param.name) == theirs.getOrDefault(param), param.name
    for name in dir(theirs):
        if name.startswith(("get", "set")):
            assert hasattr(ours, name), name


def test_xor_is_learned(xor):
    model = NeuralNetworkClassifier(layers=[2, 5, 2], blockSize=1, seed=123, maxIter=100).fit(xor)
    assert [row.prediction for row in model.transform(xor).collect()] == [0.0, 1.0, 1.0, 0.0]
    assert model.summary.accuracy == 1.0
    history = model.summary().objectiveHistory
    assert list(history) == sorted(history, reverse=True)
    assert model.summary.totalIterations == len(history) - 1 <= 100


def test_contradictory_rows_have_even_probabilities(vectors):
    rows = [(label, values) for values in ((0.0, 0.0), (0.0, 1.0)) for label in (0.0, 1.0)]
    frame = vectors(rows)
    model = NeuralNetworkClassifier(layers=[2, 5, 2], blockSize=1, seed=123, maxIter=100).fit(frame)
    for row in model.transform(frame).collect():
        assert row.probability.toArray() == pytest.approx([0.5, 0.5], abs=1e-3)


def test_initial_weights_are_where_training_starts(xor):
    trained = NeuralNetworkClassifier(layers=[2, 5, 2], seed=123, maxIter=3).fit(xor)
    again = NeuralNetworkClassifier(layers=[2, 5, 2], seed=5, maxIter=0, initialWeights=trained.weights).fit(
        xor
    )
    assert again.weights == trained.weights
    assert again.summary.objectiveHistory == (trained.summary.objectiveHistory[-1],)
    restarted = NeuralNetworkClassifier(layers=[2, 5, 2], seed=9, maxIter=4, initialWeights=trained.weights)
    one, other = restarted.fit(xor), restarted.setSeed(7).fit(xor)
    assert one.weights == other.weights != trained.weights


def test_the_seed_gives_the_initial_weights_of_spark(session, vectors):
    from pyspark.ml.classification import MultilayerPerceptronClassifier

    frame = vectors([(float(label), np.arange(7.0) == label) for label in range(3)])
    for seed in (1234, -5):
        options = {"layers": [7, 4, 3], "seed": seed, "maxIter": 0}
        theirs, ours = (
            MultilayerPerceptronClassifier(**options).fit(frame),
            NeuralNetworkClassifier(**options).fit(frame),
        )
        assert np.array_equal(ours.weights.toArray(), theirs.weights.toArray().astype(np.float32))
    assert ours.summary.objectiveHistory[0] == pytest.approx(theirs.summary().objectiveHistory[0], rel=1e-6)


def test_gradient_descent_takes_the_steps_of_spark(session, xor):
    from pyspark.ml.classification import MultilayerPerceptronClassifier
    from pyspark.ml.linalg import Vectors

    weights = Vectors.dense(np.random.default_rng(3).uniform(-1, 1, 27))
    options = {"layers": [2, 5, 2], "blockSize": 1, "initialWeights": weights}
    options |= {"solver": "gd", "stepSize": 0.5, "maxIter": 3, "tol": 0.0}
    theirs = MultilayerPerceptronClassifier(**options).fit(xor)
    ours = NeuralNetworkClassifier(**options).fit(xor)
    assert ours.weights.toArray() == pytest.approx(theirs.weights.toArray(), abs=1e-5)
    converged = NeuralNetworkClassifier(**options | {"tol": 1.0}).fit(xor)
    assert converged.summary.stopReason.startswith("a step changed the weights by")


def test_three_classes_are_learned_as_well_as_by_logistic_regression(iris):
    from pyspark.ml.classification import LogisticRegression

    logistic = LogisticRegression().fit(iris)
    model = NeuralNetworkClassifier(layers=[4, 5, 3], seed=11, maxIter=25).fit(iris)
    predicted = model.transform(iris).select("prediction").collect()
    expected = logistic.transform(iris).select("prediction").collect()
    assert model.numClasses == 3 and model.numFeatures == 4
    assert np.mean([one == other for one, other in zip(predicted, expected, strict=True)]) > 0.95


def test_all_types_of_numbers_are_labels_and_texts_are_not(session, xor):
    estimator = NeuralNetworkClassifier(layers=[2, 2, 2], maxIter=1)
    weights = []
    for kind in ("tinyint", "bigint", "float", "decimal(10,0)"):
        weights.append(estimator.fit(xor.withColumn("label", xor.label.cast(kind))).weights)
    assert all(found == weights[0] for found in weights)
    with pytest.raises(
        DataError, match="labelCol: column 'label': expected numbers, found string.*StringIndexer"
    ):
        estimator.fit(xor.withColumn("label", xor.label.cast("string")))


def test_the_schema_of_predictions_is_that_of_spark(session, xor):
    from pyspark.ml.classification import MultilayerPerceptronClassifier

    options = {"layers": [2, 2, 2], "maxIter": 1}
    theirs = MultilayerPerceptronClassifier(**options).fit(xor).transform(xor)
    ours = NeuralNetworkClassifier(**options).fit(xor).transform(xor)
    for one, other in zip(theirs.schema.fields, ours.schema.fields, strict=True):
        assert (one.name, one.dataType, one.metadata) == (other.name, other.dataType, other.metadata)


def test_thresholds_are_applied_as_by_spark(session, iris):
    from pyspark.ml.classification import MultilayerPerceptronClassificationModel

    from nn.ml import to_mllib

    model = NeuralNetworkClassifier(layers=[4, 3], maxIter=3).fit(iris)
    theirs = to_mllib(model, session)
    assert isinstance(theirs, MultilayerPerceptronClassificationModel)
    for thresholds in ([0.2, 0.5, 0.9], [0.0, 1.0, 1.0], [1.0, 0.3, 0.3]):
        predicted = model.copy({model.thresholds: thresholds}).transform(iris).select("prediction").collect()
        expected = theirs.setThresholds(thresholds).transform(iris).select("prediction").collect()
        assert predicted == expected
    row = iris.first().features
    assert model.setThresholds([0.2, 0.5, 0.9]).predict(row) == theirs.setThresholds([0.2, 0.5, 0.9]).predict(
        row
    )
