"""The pictures of docs/tutorial/ are those that the code draws, and its numbers are those of the pages."""

import re
import subprocess
import sys

import numpy as np
import pytest

from nn.plotting.style import house_style
from tests.support import ROOT
from tools.drawings import __main__ as program
from tools.drawings import bold_driver, network

FOLDER = ROOT / "docs" / "tutorial"


def test_every_picture_of_the_pages_is_drawn():
    assert {path.name for path in (FOLDER / "pictures").iterdir()} == set(program.PICTURES)


def test_the_network_is_that_of_the_page():
    values = network.values()
    page = (FOLDER / "1-by-hand.md").read_text()
    assert (values.cost, values.error, values.delta2) == (0.125, -0.5, -0.125)
    assert f"dW1 {values.grad1.tolist()}" in page and f"dW2 {values.grad2[:, None].tolist()}" in page
    assert f"db1 {values.delta1.tolist()}" in page


@pytest.mark.parametrize("name", sorted(set(program.PICTURES) - {"bold_driver.svg"}))
def test_a_picture_has_the_same_texts_again(name):
    """The strings alone: where lines lie to the last bit differs with the version of Matplotlib."""
    with house_style():
        figure = program.PICTURES[name]()
    texts = {text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()}
    assert texts
    drawn = re.findall(r"<!-- (.*?) -->", (FOLDER / "pictures" / name).read_text(), re.DOTALL)
    lines = {line for text in texts for line in text.splitlines()}
    assert lines <= {line for text in drawn for line in text.splitlines()}


def test_bold_driver_of_samples_stops_and_that_of_all_rows_goes_on():
    rows = bold_driver.digits()
    samples, all_rows = bold_driver.of_samples(*rows), bold_driver.of_all_rows(*rows)
    page = (FOLDER / "5-bold-driver.md").read_text()
    said = r"(\d+) of the 150 verdicts are\s+wrong; after 150 epochs its cost is (\S+), that of the second (\S+)\. "
    wrong, *costs = map(float, re.search(said, page).groups())
    assert sum(line.is_wrong for line in samples) == pytest.approx(wrong, abs=3)
    assert np.allclose(costs, [samples[-1].cost, all_rows[-1].cost], atol=0.002)
    assert samples[-1].rate < 1e-9 and max(line.rate for line in all_rows) == pytest.approx(20, abs=3)


def test_the_program_asks_for_a_folder():
    done = subprocess.run([sys.executable, "-m", "tools.drawings"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr == "usage: python -m tools.drawings FOLDER\n"
