"""Export a trained network to ONNX: `nn.to_onnx`. The package onnx is needed here and nowhere else.

The file holds the encoder, the layers and the decoder, so that it takes rows of the user's table and gives labels of
the user's data, as `predict` does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from nn import __version__
from nn.core import files
from nn.data.decoding import ClassLabels, Label, TargetScale
from nn.io.onnx_columns import add_columns
from nn.io.onnx_graph import ML, TEXT, Graph, Node, Value, utf8
from nn.io.onnx_layers import add_classes, add_network
from nn.models.classifier import Classifier, Predictor, Regressor

# Those of ONNX 1.8, of 2020: no layer needs newer ones, and onnxruntime reads them from 1.6 on, as most converters do.
OPSET, ML_OPSET, IR_VERSION = 13, 2, 7
LABEL, PROBABILITIES, PREDICTION = OUTPUTS = ("label", "probabilities", "prediction")
LARGEST = (1 << 31) - (16 << 20)  # bytes of constants: a file of ONNX ends at 2 GiB
ROWS = "rows"  # the name of the number n


def to_onnx(predictor: Predictor, path: str | os.PathLike, one_input: bool | None = None) -> None:
    """Write a Classifier or a Regressor as an ONNX file, atomically. The same model gives the same bytes.

    Inputs: `inputs` (n, d), float, or double where columns are large numbers, of a model of images and of columns
    without names; else an input (n, 1) per column, of its name: double for numbers and for categories that are
    numbers, string for other categories. NaN and the empty string are missing values. Columns pixels[0], pixels[1],
    ... of an array are one input (n, width). one_input=True gives one input of all columns of numbers, False one per
    column.

    Outputs: `label` (n,) and `probabilities` (n, k) float of a classifier, `prediction` (n,) double of a regressor.
    Rows that `predict` refuses give NaN; their label has no meaning.

    Raises ImportError where the package onnx is missing, and ValueError for what ONNX cannot hold: layers and losses of
    classes of your own, more than 2 GiB of parameters, labels beyond int64.
    """
    onnx = _package()
    if not isinstance(predictor, (Classifier, Regressor)):
        raise ValueError(f"expected a Classifier or a Regressor, found {type(predictor).__name__}")
    graph = graph_of(predictor, one_input)
    size = sum(array.nbytes for array in graph.constants.values())
    if size > LARGEST:
        raise ValueError(
            f"expected a network of at most {LARGEST:,} bytes for a file of ONNX, found {size:,}"
        )
    content = _proto(onnx, graph, predictor)
    onnx.checker.check_model(content, full_check=True)
    files.write(path, content.SerializeToString(deterministic=True))


def _package() -> Any:
    try:
        import onnx
        import onnx.checker
    except ImportError as error:
        raise ImportError(
            f"nn.to_onnx needs the package onnx ({error}); install it with: python -m pip install onnx"
        ) from None
    return onnx


def graph_of(predictor: Predictor, one_input: bool | None = None) -> Graph:
    """Return what a model computes, from the user's columns to labels or values, as a graph."""
    model = predictor.model
    graph = Graph(OUTPUTS)
    x = add_columns(graph, model, one_input)
    outputs = add_network(graph, model, predictor.params, x)
    # 0 for each row, NaN for one with a number that is not finite: relu and max pooling would lose it.
    refused = graph.sum(graph.add("Mul", x, np.float32(0)))
    outputs = graph.add("Add", outputs, refused)
    if isinstance(model.decoder, TargetScale):
        _add_value(graph, model.decoder, outputs)
    else:
        _add_label(
            graph, model.decoder, *add_classes(graph, model.loss, outputs, model.classes), model.classes
        )
    return graph


def _add_value(graph: Graph, decoder: TargetScale, outputs: str) -> None:
    """Add the prediction in the unit of the target, computed in double as TargetScale.decode does."""
    value = graph.cast(graph.add("Gather", outputs, np.array(0), axis=1), np.float64)  # (n,)
    value = graph.add("Add", graph.add("Mul", value, np.float64(decoder.scale)), np.float64(decoder.mean))
    graph.output(PREDICTION, value, np.float64)


def _add_label(graph: Graph, decoder: ClassLabels, number: str, probabilities: str, classes: int) -> None:
    """Add the labels of class numbers, and the probabilities."""
    dtype = np.dtype(np.int64)
    if decoder.labels is not None:
        labels = _labels(decoder.labels)
        number, dtype = graph.add("Gather", graph.constant("labels", labels), number), labels.dtype
    graph.output(LABEL, number, dtype)
    graph.output(PROBABILITIES, probabilities, np.float32, classes)


def _labels(labels: Sequence[Label]) -> np.ndarray:
    """Return the labels of classes (k,) as ONNX has them: of texts, bool, int64 or float64."""
    if isinstance(labels[0], str):
        return np.array([utf8(str(label)) for label in labels], TEXT)
    largest = max(map(abs, labels))  # type: ignore[arg-type]
    if isinstance(largest, int) and largest >= 1 << 63:
        raise ValueError(
            f"labels of classes: expected whole numbers within int64, found one of size {largest}"
        )
    return np.array(labels)


# ---- the graph in the messages of the package onnx ----


def _proto(onnx: Any, graph: Graph, predictor: Predictor) -> Any:
    """Return the whole file as a ModelProto of the package onnx."""
    helper = onnx.helper
    nodes = [_node(helper, node, graph.renamed) for node in graph.nodes]
    constants = [onnx.numpy_helper.from_array(array, name) for name, array in graph.constants.items()]
    inputs, outputs = (
        [_value(helper, value) for value in values] for values in (graph.inputs, graph.outputs)
    )
    domains = {"": OPSET, ML: ML_OPSET}
    used = {node.domain for node in graph.nodes}
    model = helper.make_model(
        helper.make_graph(nodes, "network", inputs, outputs, constants),
        opset_imports=[helper.make_opsetid(name, domains[name]) for name in domains if name in used],
        ir_version=IR_VERSION,
        producer_name="spark-numpy-nn",
        producer_version=__version__,
    )
    helper.set_model_props(model, _about(predictor))
    return model


def _node(helper: Any, node: Node, renamed: dict[str, str]) -> Any:
    attributes = {
        name: helper.np_dtype_to_tensor_dtype(value) if isinstance(value, np.dtype) else value
        for name, value in node.attributes.items()
    }
    inputs = [renamed.get(name, name) for name in node.inputs]
    output = renamed.get(node.output, node.output)
    return helper.make_node(node.operator, inputs, [output], node.output, domain=node.domain, **attributes)


def _value(helper: Any, value: Value) -> Any:
    dtype = helper.np_dtype_to_tensor_dtype(value.dtype)
    return helper.make_tensor_value_info(value.name, dtype, [ROWS, *value.shape])


def _about(predictor: Predictor) -> dict[str, str]:
    """Return what the file says of the model in JSON: its columns in order, and the names of its classes."""
    about = {"columns": json.dumps(predictor.model.encoder.names)}
    if isinstance(predictor, Classifier):
        about["class_names"] = json.dumps(predictor.class_names)
    return about
