"""Compare recipes of a regression on validation rows, and write the second table of docs/tables.md: mean R2.

python benchmarks/regression_choice.py [--write]

The test rows of benchmarks/tabular.py have no part in it: a quarter of the training rows of each split is set aside.
"""

from __future__ import annotations

import argparse
import json
import statistics
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import tabular
from tabular_data import Table, california_like, shipped

import nn
from nn.training.recipe import Recipe

RANDOM = {"layers": "dense:100:initializer=he_normal,relu", "initializer": "glorot_uniform"}
COSINE = {"schedule": "cosine", "validation_fraction": 0, "patience": None}
CANDIDATES: dict[str, dict[str, Any]] = {
    "regression.json": {},
    "random weights in the output layer (glorot_uniform)": RANDOM,
    "the same, 64 units, learning rate 0.01, batches of 32 rows": RANDOM
    | {"layers": "dense:64:initializer=he_normal,relu", "learning_rate": 0.01, "batch_size": 32},
    "inputs dropped out by 0.05": {"layers": "dropout:0.05,dense:100,relu"},
    "40 epochs at a cosine rate, no validation rows": {"epochs": 40, **COSINE},
    "60 epochs at a cosine rate, no validation rows, l2 0.01": {"epochs": 60, "l2": 0.01, **COSINE},
    "60 epochs at a cosine rate, no validation rows, AdamW with weight decay 1": {
        "epochs": 60,
        "l2": 0,
        "optimizer": "adamw:1",
        **COSINE,
    },
}
Parts = tuple[np.ndarray, np.ndarray]  # the rows to learn from and the validation rows


def main() -> None:
    """Score the candidates, scikit-learn's network and least squares on every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the table into docs/tables.md")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")  # scikit-learn's, about convergence
    tables = [
        (table, [parts_of(table, seed) for seed in range(seeds)]) for table, seeds in tables_with_seeds()
    ]
    lines = [f"| recipe | {' | '.join(table.name for table, _ in tables)} |", f"|---{'|---' * len(tables)}|"]
    scorers: dict[str, Callable[..., float]]
    scorers = {name: partial(candidate_score, changes) for name, changes in CANDIDATES.items()}
    scorers |= {"scikit-learn's MLPRegressor": tabular.peer_score, "least squares": least_squares}
    for name, scorer in scorers.items():
        means = [
            statistics.fmean(scorer(table, *parts, seed) for seed, parts in enumerate(all_parts))
            for table, all_parts in tables
        ]
        lines.append(f"| {name} | {' | '.join(f'{mean:.3f}' for mean in means)} |")
        print(lines[-1], flush=True)
    if args.write:
        tabular.write("\n".join(lines), "choice")


def tables_with_seeds() -> list[tuple[Table, int]]:
    """Return the tables and how many splits of each are scored."""
    from sklearn import datasets

    made = {
        "friedman1": datasets.make_friedman1(400, noise=1.0, random_state=7),
        "friedman2": datasets.make_friedman2(400, noise=125, random_state=7),
        "linear": datasets.make_regression(300, 20, n_informative=8, noise=100, random_state=5),
    }
    return [
        (shipped("diabetes"), 25),
        (noisy(), 20),
        *((of_arrays(name, *arrays), 10) for name, arrays in made.items()),
        (california_like(1, 2000)._replace(name="2,000 rows"), 10),
        (california_like(), 2),
    ]


def noisy(rows: int = 2000) -> Table:
    """Return ten columns of which three matter; 200 rows are learned from."""
    rng = np.random.default_rng(11)
    inputs = rng.standard_normal((rows, 10))
    return of_arrays("200 noisy", inputs, inputs[:, :3] @ [1.0, -0.6, 0.4] + rng.normal(0, 1.2, rows))


def of_arrays(name: str, inputs: np.ndarray, values: np.ndarray) -> Table:
    """Return a table of a regression."""
    return Table(name, {f"x{number}": column for number, column in enumerate(inputs.T)}, values, "regression")


def parts_of(table: Table, seed: int) -> Parts:
    """Split the training rows of one of the five splits into rows to learn from and validation rows."""
    from sklearn.model_selection import train_test_split

    if table.name == "200 noisy":
        order = np.random.default_rng(seed).permutation(len(table.labels))
        return order[:200], order[200:]
    train, _ = tabular.split(table, seed % 5)
    return train_test_split(train, test_size=0.25, random_state=100 + seed // 5)


def candidate_score(
    changes: dict[str, Any], table: Table, train: np.ndarray, held_out: np.ndarray, seed: int
) -> float:
    """Return R2 of regression.json with changes."""
    values = json.loads((tabular.ROOT / "recipes" / "regression.json").read_text())
    del values["about"]
    recipe = Recipe.of(**values | changes, seed=seed)
    return tabular.score(table, held_out, nn.fit(table.rows(train), table.labels[train], recipe))


def least_squares(table: Table, train: np.ndarray, held_out: np.ndarray, seed: int) -> float:
    """Return R2 of least squares."""
    return tabular.least_squares(table, train, held_out)


if __name__ == "__main__":
    main()
