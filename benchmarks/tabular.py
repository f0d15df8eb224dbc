"""Measure tables beside scikit-learn and write docs/tables.md: accuracy and R2 on test rows, median of five seeds.

python benchmarks/tabular.py [--seeds 5] [--tables iris,wine] [--write]

Each table is split 75/25 by the seed, by class; both sides get the same raw rows. Ours: nn.fit with the recipe
tabular.json or regression.json, and with no options at all. scikit-learn's: MLPClassifier or MLPRegressor with its
defaults behind StandardScaler, OneHotEncoder and SimpleImputer, the target of a regression standardized too; least
squares. Hyper-parameters were chosen on validation rows (docs/tables.md); test rows are scored here alone.

The exit code is 1, with a line for each, where a score is below what docs/tables.md promises.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core for each side

import argparse
import dataclasses
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from tabular_data import TABLES, Table

import nn
from nn.training.recipe import Recipe

ROOT = Path(__file__).parent.parent
RECIPES = {"classification": "tabular", "regression": "regression"}


class Scores(NamedTuple):
    """The score of each side on the test rows of one split: accuracy, or R2 of a regression."""

    ours: float
    standardized: float  # ours, on columns of numbers that StandardScaler has standardized before
    no_options: float
    peer: float
    constant: float  # the largest class, or 0
    least_squares: float | None
    seconds: float  # of ours
    peer_seconds: float


def main() -> None:
    """Measure the tables that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--tables", default=",".join(TABLES), help="names, separated by commas")
    parser.add_argument("--write", action="store_true", help="write the table into docs/tables.md")
    args = parser.parse_args()
    warnings.filterwarnings("ignore")  # scikit-learn's, about convergence
    lines = [
        "| table | rows x columns | no options | recipe | lowest..highest | standardized before | scikit-learn's MLP | "
        "constant | least squares | seconds | scikit-learn's |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    broken = []
    for name in args.tables.split(","):
        table = TABLES[name]()
        scores = [measure(table, seed) for seed in range(args.seeds)]
        lines.append(line_of(table, scores))
        broken += [f"{name}: {promise}" for promise in broken_promises(table, scores)]
        print(lines[-1], flush=True)
    if args.write:
        write("\n".join(lines))
    sys.exit("\n".join(broken) or 0)


def measure(table: Table, seed: int) -> Scores:
    """Score both sides on one split."""
    train, test = split(table, seed)
    recipe = Recipe.read(str(ROOT / "recipes" / f"{RECIPES[table.task]}.json"))
    began = time.perf_counter()
    ours = score(table, test, nn.fit(table.rows(train), table.labels[train], of_seed(recipe, seed)))
    seconds = time.perf_counter() - began
    scaled = standardized(table, train)
    again = nn.fit(scaled.rows(train), table.labels[train], of_seed(recipe, seed))
    plain = nn.fit(table.rows(train), table.labels[train], task=table.task, missing="mean", seed=seed)
    began = time.perf_counter()
    peer = peer_score(table, train, test, seed)
    return Scores(
        ours,
        score(scaled, test, again),
        score(table, test, plain),
        peer,
        constant_score(table, train, test),
        least_squares(table, train, test) if table.task == "regression" else None,
        seconds,
        time.perf_counter() - began,
    )


def standardized(table: Table, train: np.ndarray) -> Table:
    """Return the table with its columns of numbers standardized by their training rows; missing values stay."""
    from sklearn.preprocessing import StandardScaler

    columns = {
        name: column
        if column.dtype.kind not in "biuf"
        else StandardScaler().fit(column[train, None]).transform(column[:, None])[:, 0]
        for name, column in table.columns.items()
    }
    return table._replace(columns=columns)


def of_seed(recipe: Recipe, seed: int) -> Recipe:
    """Return the recipe with another seed."""
    return dataclasses.replace(recipe, seed=seed)


def split(table: Table, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the training rows and the test rows, a quarter, of each class alike."""
    from sklearn.model_selection import train_test_split

    labels = table.labels if table.task == "classification" else None
    return train_test_split(np.arange(len(table.labels)), test_size=0.25, random_state=seed, stratify=labels)


def score(table: Table, test: np.ndarray, fit: Any) -> float:
    """Return the accuracy on the test rows, or R2."""
    return score_of(table, test, fit.classifier.predict(table.rows(test)))


def score_of(table: Table, test: np.ndarray, predictions: np.ndarray) -> float:
    """Return the accuracy of predictions, or their R2."""
    labels = table.labels[test]
    if table.task == "classification":
        return float(np.mean(predictions == labels))
    return float(1 - np.sum((predictions - labels) ** 2) / np.sum((labels - labels.mean()) ** 2))


def constant_score(table: Table, train: np.ndarray, test: np.ndarray) -> float:
    """Return the score of always predicting the largest class, or the mean."""
    if table.task == "regression":
        return score_of(table, test, np.full(len(test), table.labels[train].mean()))
    names, counts = np.unique(table.labels[train], return_counts=True)
    return score_of(table, test, np.full(len(test), names[counts.argmax()]))


def peer_score(table: Table, train: np.ndarray, test: np.ndarray, seed: int) -> float:
    """Return the score of scikit-learn's network."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    if table.task == "classification":
        return peer(table, train, test, MLPClassifier(random_state=seed))
    network = MLPRegressor(random_state=seed)
    return peer(table, train, test, TransformedTargetRegressor(network, transformer=StandardScaler()))


def least_squares(table: Table, train: np.ndarray, test: np.ndarray) -> float:
    """Return the score of least squares."""
    from sklearn.linear_model import LinearRegression

    return peer(table, train, test, LinearRegression())


def peer(table: Table, train: np.ndarray, test: np.ndarray, model: Any) -> float:
    """Train a model of scikit-learn behind its own encoding, and score it."""
    import pandas
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    rows = pandas.DataFrame({name: pandas.Series(column) for name, column in table.columns.items()})
    texts = [name for name, column in table.columns.items() if column.dtype.kind not in "biuf"]
    numbers = [name for name in table.columns if name not in texts]
    encoder = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), numbers),
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
    )
    pipeline = make_pipeline(encoder, model).fit(rows.iloc[train], table.labels[train])
    return score_of(table, test, pipeline.predict(rows.iloc[test]))


def median(scores: list[Scores]) -> Scores:
    """Return the median of each score over the seeds."""
    columns = zip(*scores, strict=True)
    return Scores(*(None if None in values else statistics.median(values) for values in columns))  # type: ignore[arg-type]


def broken_promises(table: Table, scores: list[Scores]) -> list[str]:
    """Return a sentence for each promise of docs/tables.md that the scores of the seeds break."""
    middle, ours = median(scores), [of_a_seed.ours for of_a_seed in scores]
    broken = {
        "the recipe is more than 0.01 below scikit-learn's network": middle.ours < middle.peer - 0.01,
        "the recipe is more than 0.03 below least squares": middle.ours < (middle.least_squares or -1) - 0.03,
        "the default recipe is below the constant": any(of.no_options < of.constant for of in scores),
        "standardized before, the score differs by more than the seeds do": abs(
            middle.standardized - middle.ours
        )
        > max(ours) - min(ours),
    }
    return [promise for promise, is_broken in broken.items() if is_broken]


def line_of(table: Table, scores: list[Scores]) -> str:
    """Return the line of a table: medians of the seeds, and the range of the recipe's scores."""
    middle, ours = median(scores), [of_a_seed.ours for of_a_seed in scores]
    form = ("{:.1%}" if table.task == "classification" else "{:.3f}").format
    cells = [
        table.name,
        f"{len(table.labels):,} x {len(table.columns)}",
        form(middle.no_options),
        form(middle.ours),
        f"{form(min(ours))}..{form(max(ours))}",
        form(middle.standardized),
        form(middle.peer),
        form(middle.constant),
        "" if middle.least_squares is None else form(middle.least_squares),
        f"{middle.seconds:.1f}",
        f"{middle.peer_seconds:.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def write(table: str, name: str = "table") -> None:
    """Replace the table of that name in docs/tables.md."""
    path = ROOT / "docs" / "tables.md"
    before, start, rest = path.read_text().partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition("<!-- end -->\n")
    path.write_text(f"{before}{start}{table}\n{end}{after}")


if __name__ == "__main__":
    main()
