"""A folder with the results of a run, to be drawn."""

import json

import numpy as np

K, SIDE, UNITS, ROWS = 4, 8, 9, 40


RNG_SEED = 5


PHASES = {"schedule": 0.04, "read": 0.01, "compute": 0.124, "sum": 0.016, "update": 0.01}


def write_histories(output, epochs=30):
    """A Bold Driver run: every fifth trial is undone, and measured all the same; every epoch takes as long."""
    lines = []
    for epoch in range(1, epochs + 1):
        undone = epoch % 5 == 0
        cost = 0.1 + 1 / epoch + 0.3 * undone
        values = (epoch, cost, 1 - cost / 2, 0.1 * 1.2 ** (epoch % 5), int(not undone), 700, 0.2)
        lines.append((*values, *PHASES.values()))
    header = f"epoch,cost,accuracy,learning_rate,accepted,rows,seconds,{','.join(PHASES)}\n"
    text = "".join(",".join(map(str, line)) + "\n" for line in lines)
    (output / "history.csv").write_text(header + text)
    for name, column in (("cost_history", 1), ("accuracy_history", 2)):
        (output / name).mkdir()
        (output / name / "part-00000").write_text("".join(f"{line[column]}\n" for line in lines))
        (output / name / "_SUCCESS").write_text("")


def write_results(output):
    """Stripes and blots for images, a tenth of them predicted as the next class."""
    rng = np.random.default_rng(RNG_SEED)
    labels = np.arange(ROWS) % K
    predictions = np.where(np.arange(ROWS) < 4, (labels + 1) % K, labels)
    counts = np.zeros((K, K), dtype=int)
    np.add.at(counts, (labels, predictions), 1)
    header = "truth\\prediction," + ",".join(map(str, range(K)))
    lines = [",".join(map(str, [truth, *line])) for truth, line in enumerate(counts)]
    (output / "confusion_matrix.csv").write_text("\n".join([header, *lines]) + "\n")
    pixels = rng.integers(0, 256, (ROWS, SIDE * SIDE))
    examples = ["row,label,prediction,probability," + ",".join(f"x{i}" for i in range(SIDE * SIDE))]
    for row in range(ROWS):
        start = [row, labels[row], predictions[row], 0.625]
        examples.append(",".join(map(str, [*start, *pixels[row]])))
    (output / "examples.csv").write_text("\n".join(examples) + "\n")
    score = {"precision": 0.9, "recall": 0.9, "f1": 0.9}
    summary = {
        "data": {"name": "stripes", "class_names": ["a_1", "$b$", "c", "d"]},
        "test": {
            "accuracy": 0.9,
            "rows": ROWS,
            "macro": score,
            "classes": [{"class": c, "support": 10, **score} for c in range(K)],
        },
        "configuration": {},
    }
    (output / "summary.json").write_text(json.dumps(summary))
    layers = [{"name": "dense", "units": UNITS}, {"name": "sigmoid"}, {"name": "dense", "units": K}]
    config = {"input_shape": [SIDE * SIDE], "layers": layers, "loss": "mse", "scale": 255.0, "classes": K}
    weights = {"0.W": rng.normal(size=(SIDE * SIDE, UNITS)), "0.b": np.zeros(UNITS)}
    weights |= {"2.W": rng.normal(size=(UNITS, K)), "2.b": np.zeros(K)}
    np.savez(output / "model.npz", config=np.array(json.dumps(config)), **weights)


def keep_only(output, *names):
    """Drop the other results, so that a test draws no more than it looks at."""
    for name in {"summary.json", "confusion_matrix.csv", "examples.csv", "model.npz"} - set(names):
        (output / name).unlink()
