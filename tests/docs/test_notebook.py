"""docs/notebooks/NeuralNetwork.ipynb: its cells run from the first to the last, and the file is small and valid."""

import json

import matplotlib
import numpy as np
import pytest

import generate_data
from tests.support import ROOT

PATH = ROOT / "docs" / "notebooks" / "NeuralNetwork.ipynb"
CELLS = json.loads(PATH.read_text())["cells"]
CODE = [cell for cell in CELLS if cell["cell_type"] == "code"]


@pytest.fixture
def names(spark, tmp_path, monkeypatch):
    """The names after all cells have run, as a kernel runs them, on 700 drawn digits."""
    monkeypatch.chdir(tmp_path)
    words = "--dataset synthetic --train-rows 700 --test-rows 200 --output data"
    assert generate_data.main(words.split()) == 0
    names = {"__name__": "__main__"}
    backend = matplotlib.get_backend()
    matplotlib.use("Agg")
    try:
        with matplotlib.rc_context():
            for number, cell in enumerate(CODE):
                exec(compile("".join(cell["source"]), f"cell {number}", "exec"), names)
    finally:
        matplotlib.pyplot.close("all")
        matplotlib.use(backend)
    yield names
    names["blocks"].unpersist()


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive:UserWarning")
def test_cells_run_and_networks_learn(names, capsys):
    assert names["costs"][-1] < 0.6 * names["costs"][0]
    assert names["sums"].train.cost == pytest.approx(names["costs"][0], rel=1e-4)
    assert np.allclose(
        names["sums"].grads[0]["W"], names["by_hand"][0], atol=1e-3 * np.abs(names["by_hand"][0]).max()
    )
    assert len(names["history"]) == len(names["progress"].history) == 8
    assert names["history"][-1].cost < names["history"][0].cost
    accuracy = (names["predicted"] == names["test_labels"]).mean()
    assert accuracy > 0.5 and names["stage_accuracy"] > 0.5
    assert names["matrix"].trace() == accuracy * 200 and names["matrix"].sum() == 200
    assert np.array_equal(names["again"].predict(names["test_images"]), names["predicted"])


def test_file_is_notebook_format_4_5_with_small_outputs():
    notebook = json.loads(PATH.read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert PATH.stat().st_size < 300_000
    ids = [cell["id"] for cell in CELLS]
    assert len(set(ids)) == len(ids) and all(0 < len(name) <= 64 for name in ids)
    for cell in CELLS:
        assert cell["cell_type"] in ("code", "markdown") and isinstance(cell["source"], list)
    assert [cell["execution_count"] for cell in CODE] == list(range(1, len(CODE) + 1))


def test_outputs_that_are_kept_hold_no_error_and_no_path_of_a_machine():
    outputs = [output for cell in CODE for output in cell["outputs"]]
    kinds = {output["output_type"] for output in outputs}
    assert kinds <= {"stream", "display_data", "execute_result"} and "display_data" in kinds
    texts = "".join("".join(output.get("text", [])) for output in outputs)
    assert "test accuracy" in texts and "/home/" not in texts and "/tmp/" not in texts
