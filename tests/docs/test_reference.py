"""docs/reference/ is what `python -m tools.docs.reference` writes, and has all words, options and formulas."""

import re

import numpy as np
import pytest

from nn.cli.config_file import FIELDS
from nn.cli.predict_options import PredictOptions
from nn.core.options import options_of
from nn.layers import ACTIVATIONS, LAYERS
from nn.models.losses import LOSSES
from nn.models.regression_losses import REGRESSION_LOSSES
from nn.optim.schedules import SCHEDULES
from nn.training.recipe import OPTIMIZERS
from tools.docs import formulas, reference

FILES = reference.files()


def test_the_folder_holds_what_the_program_writes():
    found = {
        str(path.relative_to(reference.FOLDER)): path.read_text()
        for path in reference.FOLDER.rglob("*.*")
        if path.is_file()
    }
    changed = sorted(name for name in FILES.keys() | found.keys() if FILES.get(name) != found.get(name))
    assert not changed, "run: python -m tools.docs.reference"


def test_writing_removes_a_page_that_is_not_written_any_more(tmp_path):
    (tmp_path / "old.md").write_text("# Old\n")
    reference.write(tmp_path)
    assert not (tmp_path / "old.md").exists() and (tmp_path / "pictures/schedule_step.svg").exists()


def test_every_option_is_in_its_program_section():
    ours, rest = FILES["options.md"].split("\n## predict_task.py\n")
    predict, *others = rest.split("\n## ")
    for page, names in ((ours, FIELDS), (predict, options_of(PredictOptions))):
        for name, field in names.items():
            word = name.replace("_", "-")
            if field.metadata["group"]:
                assert re.search(rf"^\| `(--{word}\b|{name.upper()}`)", page, re.MULTILINE), name
    assert [text.partition("\n")[0] for text in others] == ["generate_data.py", "generate_plots.py"]
    assert "`--train-rows N`" in others[0] and "one of png, svg, pdf" in others[1]


def test_defaults_that_are_zero_are_shown():
    assert re.search(r"^\| `--seed N` \| [^|]+ \| `0` \|", FILES["options.md"], re.MULTILINE)


@pytest.mark.parametrize(
    "table, words",
    [
        (formulas.LAYERS, LAYERS),
        (formulas.ACTIVATIONS, ACTIVATIONS),
        (formulas.LOSSES, LOSSES),
        (formulas.REGRESSION_LOSSES, REGRESSION_LOSSES),
        (formulas.OPTIMIZERS, OPTIMIZERS),
        (formulas.SCHEDULES, SCHEDULES),
    ],
)
def test_each_word_has_a_formula(table, words):
    assert set(table) == set(words)


def test_papers_are_taken_from_docstrings():
    assert re.search(r"^\| \[`adam`\].*\| Kingma and Ba, 2015 \|$", FILES["optimizers.md"], re.MULTILINE)
    assert "Simard, Steinkraus and Platt, 2003" in FILES["augmentation.md"]


def test_pictures_have_the_values_of_the_function():
    picture = FILES["pictures/activation_relu.svg"]
    points = np.array([pair.split(",") for pair in re.search(r'points="([^"]+)"', picture)[1].split()], float)
    level = points[:41, 1]
    assert (level == level[0]).all() and np.allclose(
        np.diff(points[40:, 1]), np.diff(points[40:, 1])[0], atol=0.11
    )
    assert points[-1, 1] < level[0] - 40
