"""Fit a classifier of nn.ml, save it, load it and write its model file: ROWS (lines of JSON) MODEL AVERAGING.

Each epoch is printed as it ends.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from pyspark.sql import SparkSession

from nn.ml import NeuralNetworkClassificationModel, NeuralNetworkClassifier

EPOCHS = 30


def write_rows(path):
    """Write rows of four classes, in one file."""
    from tests.support.data import blobs  # not there in a container of YARN

    inputs, labels = blobs(2000, width=20, classes=4, seed=1)
    rows = zip(inputs.tolist(), labels.tolist(), strict=True)
    path.write_text("".join(json.dumps({"features": row, "label": label}) + "\n" for row, label in rows))
    return path


def fit(session, rows, averaging):
    """The fitted model."""
    network = NeuralNetworkClassifier(
        layerSpec="dense:16,relu,dropout:0.2",
        optimizer="adam",
        averaging=averaging,
        batchSize=100,
        maxIter=EPOCHS,
        numPartitions=4,
        seed=3,
    )
    network.setCallback(lambda line: print("epoch", line.epoch, flush=True))
    return network.fit(session.read.schema("features array<double>, label double").json(str(rows)))


if __name__ == "__main__":
    found = fit(SparkSession.builder.getOrCreate(), sys.argv[1], sys.argv[3])
    stage = f"{sys.argv[2]}.stage"
    found.write().overwrite().save(stage)
    NeuralNetworkClassificationModel.load(stage).write_npz(sys.argv[2])
