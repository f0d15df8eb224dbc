"""Measure the predictions of a model on a DataFrame with labels, in queries of Spark SQL."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from pyspark.sql import functions as sql

from nn.core.errors import DataError
from nn.ml.params import NetworkParams
from nn.ml.summary import ClassificationSummary, RegressionSummary
from nn.spark.frames.frame_table import quoted, refuse_no_numbers
from nn.spark.input.table_columns import type_of
from nn.training.regression_score import r_squared

OWN = "nn_ml_prediction"  # a column of predictions, if the DataFrame has the model's own already


def of_classes(model: Any, frame: Any) -> ClassificationSummary:
    """Return the measures of a classifier. Raises DataError for a label that is no class of the model."""
    label, weight = _columns(model, frame)
    extra = {"rawPredictionCol": "", "probabilityCol": "", "predictedLabelCol": "", "predictionCol": OWN}
    predicted = _with(model, extra).transform(frame)
    pairs = predicted.select(label.alias("label"), sql.col(OWN).alias("prediction"), weight.alias("weight"))
    sums = (
        sql.sum("weight").alias("weight"),
        sql.count("weight").alias("weighted"),
        sql.count("*").alias("rows"),
    )
    rows = pairs.groupBy("label", "prediction").agg(*sums, sql.min("weight").alias("least")).collect()
    _check_weights(
        model, [tuple(row[name] for name in ("rows", "weighted", "least", "weight")) for row in rows]
    )
    classes = model.numClasses
    matrix = np.zeros((classes, classes))
    for row in rows:
        if row["label"] is None or row["label"] not in range(classes):
            name = model._value("labelCol")
            raise DataError(
                f"labelCol: column {name!r}: expected whole numbers in 0..{classes - 1}, found {row['label']}"
            )
        if row["prediction"] is None:
            raise DataError(
                "featuresCol: expected values that the model can predict from, found null, NaN or values too large "
                "for it"
            )
        matrix[int(row["label"]), int(row["prediction"])] += row["weight"]
    return ClassificationSummary(confusionMatrix=tuple(map(tuple, matrix.tolist())))


def of_values(model: Any, frame: Any) -> RegressionSummary:
    """Return the errors of a regressor. Raises DataError for labels and predictions that are no numbers."""
    label, weight = _columns(model, frame)
    predicted = _with(model, {"predictionCol": OWN}).transform(frame)
    rows = predicted.select(label.alias("y"), sql.col(OWN).alias("p"), weight.alias("w"))
    error = sql.col("p") - sql.col("y")
    first = rows.agg(
        sql.count("*").alias("rows"),
        sql.count(sql.when(sql.abs(error) < math.inf, error)).alias("filled"),  # NaN is above infinity
        sql.count("w").alias("weighted"),
        sql.min("w").alias("least"),
        sql.sum("w").alias("weight"),
        sql.sum(sql.col("w") * sql.abs(error)).alias("absolute"),
        sql.sum(sql.col("w") * error * error).alias("squared"),
        sql.sum(sql.col("w") * sql.col("y")).alias("labels"),
    ).first()
    _check_weights(model, [tuple(first[name] for name in ("rows", "weighted", "least", "weight"))])
    if first["filled"] < first["rows"]:
        raise DataError(
            "expected a label and a prediction in each row, found null, NaN or infinite ones in "
            f"{first['rows'] - first['filled']:,} of {first['rows']:,}"
        )
    deviation = sql.col("y") - sql.lit(first["labels"] / first["weight"])
    around = rows.agg(sql.sum(sql.col("w") * deviation * deviation)).first()[0]
    return RegressionSummary(
        numInstances=first["rows"],
        meanAbsoluteError=first["absolute"] / first["weight"],
        meanSquaredError=first["squared"] / first["weight"],
        r2=r_squared(first["squared"], around),
    )


def _check_weights(model: NetworkParams, parts: list[tuple[Any, ...]]) -> None:
    """Raise DataError without rows, for weights that are null, NaN or below 0, and for a sum of 0.

    parts: (rows, rows with a weight, the least weight, the sum of weights) of each part of the DataFrame.
    """
    if not sum(rows for rows, *_ in parts):
        raise DataError("expected rows, found none in the DataFrame")
    name = model._given("weightCol")
    missing = sum(rows - weighted for rows, weighted, _, _ in parts)
    if missing:
        raise DataError(
            f"weightCol: column {name!r}: expected a weight in each row, found null in {missing:,}"
        )
    least, total = min(part[2] for part in parts), sum(part[3] for part in parts)
    if not (least >= 0 and 0 < total < math.inf):
        raise DataError(
            f"weightCol: column {name!r}: expected finite weights of at least 0 with a sum above 0, found a least of "
            f"{least:g} and a sum of {total:g}"
        )


def _columns(model: NetworkParams, frame: Any) -> tuple[Any, Any]:
    """Return the label and the weight of a row as doubles. Raises DataError where there are none."""
    label, weight = model._value("labelCol"), model._given("weightCol")
    for param, name in (("labelCol", label), ("weightCol", weight)):
        if name and name not in frame.columns:
            raise DataError(f"expected a column {name!r}, found none")
        if name:
            refuse_no_numbers(param, name, type_of(frame.schema[name].dataType, has_types=True))
    weights = sql.col(quoted(weight)).cast("double") if weight else sql.lit(1.0)
    return sql.col(quoted(label)).cast("double"), weights


def _with(model: Any, values: dict[str, str]) -> Any:
    """Return a copy of a model with other names of columns."""
    return model.copy({model.getParam(name): value for name, value in values.items()})
