"""Every snippet of docs/pyspark_ml.md runs, from the first to the last, in one session."""

import re

import pytest

from tests.support import ROOT
from tests.support.pages import blocks

PAGE = (ROOT / "docs" / "pyspark_ml.md").read_text()
SNIPPETS = [block for _, block in blocks("python", "docs/pyspark_ml.md")]


@pytest.fixture(scope="module")
def namespace(session, iris, tmp_path_factory):
    """The names of the snippets, and Spark's example file, which they read."""
    folder = tmp_path_factory.mktemp("page")
    libsvm = folder / "data/mllib/sample_multiclass_classification_data.txt"
    libsvm.parent.mkdir(parents=True)
    lines = []
    for label, values in iris.collect():
        cells = (f"{number}:{value!r}" for number, value in enumerate(values.toArray().tolist(), 1))
        lines.append(f"{label:g} {' '.join(cells)}\n")
    libsvm.write_text("".join(lines))
    return {"spark": session}, folder


def at(folder, code):
    """A snippet with its files in a folder: the JVM has a working directory of its own."""
    return re.sub(r'"((data|models)/[\w/.]+|digits\.parquet|people\.csv)"', rf'"{folder}/\1"', code)


@pytest.mark.parametrize("number", range(len(SNIPPETS)))
def test_a_snippet_runs(namespace, number):
    names, folder = namespace
    exec(compile(at(folder, SNIPPETS[number]), f"snippet {number}", "exec"), names)


def test_the_snippets_did_what_the_page_says(namespace):
    names, folder = namespace
    assert len(names["lines"]) >= 4 and names["rents"].evaluate(names["people"]).r2 > 0.5
    assert names["best"].getLearningRate() == 0.02
    assert (folder / "models/digits/model.npz").exists() and (folder / "models/digits.npz").exists()
    row = names["fitted"].transform(names["people"]).first()
    assert row.predicted in ("bern", "oslo", "rome")


def test_the_diff_changes_two_lines_of_sparks_example():
    diff = re.search(r"```diff\n(.*?)```", PAGE, re.DOTALL)[1].splitlines()
    removed = [line[1:] for line in diff if line.startswith("-")]
    added = [line[1:] for line in diff if line.startswith("+")]
    assert [
        line.replace("pyspark.ml.classification", "nn.ml").replace("MultilayerPerceptron", "NeuralNetwork")
        for line in removed
    ] == added
