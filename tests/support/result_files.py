"""Single files of results, whole and broken."""

import json

import numpy as np
import pytest

from nn.plotting.textfiles import BadFileError

SCORE = {"precision": 0.5, "recall": 0.25, "f1": 1 / 3}


SUMMARY = {
    "data": {"name": "toy", "class_names": None},
    "test": {
        "accuracy": 0.75,
        "rows": 4,
        "macro": SCORE,
        "classes": [{"class": 0, "support": 2, **SCORE}, {"class": 1, "support": 2, **SCORE}],
    },
}


CONFIG = {
    "input_shape": [4],
    "layers": [{"name": "dense", "units": 3}, {"name": "sigmoid"}, {"name": "dense", "units": 2}],
}


W = np.arange(12.0).reshape(4, 3)


def message(read, path):
    with pytest.raises(BadFileError) as caught:
        read(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))
    return str(caught.value).removeprefix(str(path))


def changed(document, address, value):
    """A copy of the document with one value replaced."""
    copy = json.loads(json.dumps(document))
    branch = copy
    for key in address[:-1]:
        branch = branch[key]
    branch[address[-1]] = value
    return copy


def write_summary(tmp_path, document):
    path = tmp_path / "summary.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def write_model(tmp_path, config=CONFIG, arrays=None):
    path = tmp_path / "model.npz"
    text = config if isinstance(config, str) else json.dumps(config)
    np.savez(path, **{"0.W": W, "config": np.array(text), **(arrays or {})})
    return path


def holds_no_results(out):
    """Whether OUTPUT is not there, or holds only why the run ended."""
    return not out.exists() or [path.name for path in out.iterdir()] == ["_ERROR.json"]
