"""Hash what a dozen recipes come to, so that two versions of this project can be compared bit by bit.

    python benchmarks/baseline.py CHECKOUT > before.json
    python benchmarks/baseline.py CHECKOUT --compare before.json

Half of the recipes train in this process with nn.fit, half through spark-submit on local[2] in three partitions. Each
names all the options that shape it, so that a later default changes none. Compare on one machine with one NumPy: the
last bits depend on both.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

# One thread of BLAS, as on Spark's workers, before NumPy is loaded.
for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"

import numpy as np  # noqa: E402

ROWS, TEST_ROWS, SIDE, CLASSES = 720, 90, 12, 3
# The columns of history.csv that no clock writes.
EXACT = ("epoch", "cost", "accuracy", "learning_rate", "accepted", "rows", "val_cost", "val_accuracy")

PLAIN: dict[str, Any] = {
    **{"hidden": [16], "activation": "sigmoid", "initializer": "glorot_uniform", "loss": "mse", "seed": 3},
    **{"epochs": 12, "average": "gradients", "warmup": 0, "l1": 0, "l2": 0, "validation_fraction": 0},
    **{"task": "classification", "scale": "largest", "missing": "error", "unknown": "other"},
}
SGD = {"optimizer": "sgd", "learning_rate": 0.5, "sample": 0.7}
BOLD = {"schedule": {"name": "bold-driver", "growth": 1.05, "shrink": 0.5}}
SOFTMAX = {"loss": "cross-entropy", "activation": "relu", "initializer": "he_normal"}
IMAGES = {
    "layers": "conv2d:4x3,relu,maxpool2d:2,residual(conv2d:4x1),flatten,dense:8,gelu,dropout:0.2",
    "input_shape": f"{SIDE}x{SIDE}x1",
    "augment": "shift:1,rotate:10,scale:0.1,elastic:1,flip",
}
REPLICAS = {
    **{"average": "parameters", "rounds_per_epoch": 2, "outer_learning_rate": 0.9, "outer_momentum": 0.3},
    **{"batch_size": 32, "schedule": "constant"},
}


def without(recipe: dict[str, Any], *names: str) -> dict[str, Any]:
    """The recipe but for some of its options."""
    return {name: value for name, value in recipe.items() if name not in names}


DENSE = without(PLAIN, "hidden", "activation")
FIT: dict[str, dict[str, Any]] = {
    "bold-driver": {**PLAIN, **SGD, **BOLD},
    "cnn": {
        **DENSE,
        **IMAGES,
        "loss": "cross-entropy:smoothing=0.1",
        "batch_size": 60,
        "epochs": 4,
        **{"optimizer": "adam", "learning_rate": 0.01, "schedule": "cosine"},
    },
    "lbfgs": {**PLAIN, "optimizer": "l-bfgs:10", "activation": "tanh", "l2": 0.001},
    "weights": {
        **PLAIN,
        **SOFTMAX,
        "class_weights": "balanced",
        "l1": 1e-4,
        "l2": 1e-3,
        "clip": 2,
        "batch_size": 100,
        **{"optimizer": "momentum:0.9", "learning_rate": 0.05, "schedule": "step:4:drop=0.5"},
    },
    "validation": {
        **PLAIN,
        **SOFTMAX,
        "validation_fraction": 0.2,
        "patience": 3,
        "warmup": 2,
        "batch_size": 90,
        "epochs": 20,
        **{"optimizer": "adamw:weight_decay=0.01", "learning_rate": 0.02, "schedule": "exponential:0.9"},
    },
    "replicas": {
        **PLAIN,
        **SOFTMAX,
        **REPLICAS,
        "l2": 1e-3,
        "epochs": 6,
        **{"optimizer": "nesterov:0.9", "learning_rate": 0.05},
    },
}
SUBMIT: dict[str, dict[str, Any]] = {
    "bold-driver": {**PLAIN, **SGD, **BOLD},
    "bold-driver with dropout": {
        **DENSE, **SGD, **BOLD, "layers": "dense:16,tanh,layernorm,dropout:0.3", "epochs": 8,
        "validation_fraction": 0.2,
    },
    "lbfgs": {**PLAIN, "optimizer": "l-bfgs:10", "activation": "tanh", "l2": 0.001, "class_weights": "0=1,1=2,2=0.5"},
    "batches": {
        **PLAIN, **SOFTMAX, "validation_fraction": 0.2, "patience": 4, "warmup": 1, "batch_size": 120,
        **{"optimizer": "rmsprop", "learning_rate": 0.005, "schedule": "plateau", "shuffle_once": True},
    },
    "replicas": {
        **PLAIN, **SOFTMAX, **REPLICAS, "l1": 1e-4, "l2": 1e-3, "clip": 3, "shuffle_once": True, "epochs": 6,
        **{"optimizer": "adam", "learning_rate": 0.01},
    },
    "replicas of a cnn": {
        **DENSE, **IMAGES, **REPLICAS, "loss": "cross-entropy", "epochs": 3, "validation_fraction": 0.1, "patience": 2,
        **{"optimizer": "momentum:0.9", "learning_rate": 0.02, "class_weights": "balanced"},
    },
}  # fmt: skip


def rows(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images (n, d) of 0 to 255 with a bright band for each class, labels (n,), weights (n,)."""
    draw = np.random.RandomState(seed)  # whose numbers no version of NumPy changes
    labels = draw.randint(0, CLASSES, count)
    images = draw.randint(0, 140, (count, SIDE, SIDE))
    for number, label in enumerate(labels):
        images[number, 4 * label : 4 * label + 3] += draw.randint(20, 110)
    return images.reshape(count, -1), labels, draw.randint(1, 8, count) / 4


def hashed(arrays: list[np.ndarray], history: list[list[str]]) -> dict[str, str]:
    """One hash of the parameters, with their shapes and types, and one of the history."""
    params = hashlib.sha256()
    for array in arrays:
        params.update(f"{array.shape}{array.dtype.str}".encode() + np.ascontiguousarray(array).tobytes())
    lines = hashlib.sha256(json.dumps(history).encode())
    return {"params": params.hexdigest()[:16], "history": lines.hexdigest()[:16]}


def fitted(nn: Any, recipe: dict[str, Any]) -> dict[str, str]:
    """What nn.fit makes of a recipe."""
    images, labels, weights = rows(ROWS, 1)
    classifier, history = nn.fit(images.astype(np.uint8), labels, weights=weights, **recipe)
    arrays = [layer[name] for layer in classifier.params for name in sorted(layer)]
    return hashed(arrays, [[repr(getattr(line, name)) for name in EXACT] for line in history])


def submitted(checkout: Path, folder: Path, recipe: dict[str, Any]) -> dict[str, str]:
    """What the job makes of a recipe, with labels and weights in the tables' first columns."""
    for name, count, seed in (("train", ROWS, 1), ("test", TEST_ROWS, 2)):
        images, labels, weights = rows(count, seed)
        np.savetxt(
            folder / f"{name}.csv", np.column_stack([labels, weights, images]), fmt="%g", delimiter=","
        )
    paths = {"train_images": "train.csv", "train_labels": "-", "test_images": "test.csv", "test_labels": "-"}
    columns = {"label_column": 0, "weight_column": 1, "partitions": 3}
    (folder / "recipe.json").write_text(json.dumps({**paths, **columns, **recipe}))
    words = [
        "--master",
        "local[2]",
        "--conf",
        "spark.ui.enabled=false",
        str(checkout / "main_task.py"),
        "out",
    ]
    done = subprocess.run(
        [str(Path(sys.executable).with_name("spark-submit")), *words, "--config", "recipe.json"],
        cwd=folder,
        env={**os.environ, "PYSPARK_PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"{json.dumps(recipe)}:\n{done.stdout[-3000:]}")
    with np.load(folder / "out" / "model.npz") as model:
        arrays = [model[name] for name in sorted(model.files) if model[name].dtype.kind != "U"]
    with (folder / "out" / "history.csv").open() as file:
        return hashed(arrays, [[line[name] for name in EXACT] for line in csv.DictReader(file)])


def main() -> None:
    """Print the hashes, or what differs from those of an earlier run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("checkout", type=Path, help="folder of the version to run")
    parser.add_argument("--compare", type=Path, metavar="FILE", help="what an earlier call printed")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    sys.path.insert(0, str(checkout))
    import nn

    hashes = {f"fit, {name}": fitted(nn, recipe) for name, recipe in FIT.items()}
    for name, recipe in SUBMIT.items():
        with tempfile.TemporaryDirectory() as folder:
            hashes[f"job, {name}"] = submitted(checkout, Path(folder), recipe)
    if options.compare is None:
        print(json.dumps(hashes, indent=2))
        return
    before = json.loads(options.compare.read_text())
    differing = [name for name in before | hashes if before.get(name) != hashes.get(name)]
    print("\n".join(f"differs: {name}" for name in differing) or f"all {len(hashes)} are the same")
    sys.exit(bool(differing))


if __name__ == "__main__":
    main()
