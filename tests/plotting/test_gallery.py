"""Which pictures a run's files make: what the figures hold when all files are read together."""

import json

import numpy as np
import pytest

from nn.plotting import gallery
from tests.support.run_folder import keep_only, write_histories, write_results


@pytest.fixture
def output(tmp_path):
    write_histories(tmp_path)
    write_results(tmp_path)
    return tmp_path


def draw(folder, monkeypatch):
    """(picture -> its figure, the notes), nothing written."""
    figures, notes = {}, []

    def keep(figure, path):
        figures[path.stem] = figure
        return path

    monkeypatch.setattr(gallery, "save", keep)
    assert [path.stem for path in gallery.draw_run(folder, "png", notes.append)] == list(figures)
    return figures, notes


def add_to_summary(folder, **keys):
    path = folder / "summary.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))


def write_color_run(folder, first, side=(4, 5)):
    """One example of color, and a model whose first layer is the one named."""
    width = side[0] * side[1] * 3
    inputs, pixels = (",".join(f"{letter}{i}" for i in range(width)) for letter in ("x", ""))
    (folder / "examples.csv").write_text(f"row,label,prediction,probability,{inputs}\n1,1,1,1,{pixels}\n")
    layer = {"name": first, "filters": 4, "kernel": [3, 3], "stride": [1, 1], "padding": "valid"}
    config = {"input_shape": [*side, 3], "layers": [layer]}
    weights = np.random.default_rng(0).normal(size=(3, 3, 3, 4))
    np.savez(folder / "model.npz", **{"config": np.array(json.dumps(config)), "0.W": weights})


def shape_of(figure):
    return figure.axes[0].images[0].get_array().shape


def test_a_run_with_validation_draws_it_and_the_epoch_kept(output, monkeypatch):
    keep_only(output, "summary.json")
    head, *lines = (output / "history.csv").read_text().splitlines()
    tail = [f",{0.2 + 1 / epoch},{1 - 0.5 / epoch}" for epoch in range(1, len(lines) + 1)]
    tail[3] = ",nan,nan"
    text = [head + ",val_cost,val_accuracy", *(line + end for line, end in zip(lines, tail, strict=True))]
    (output / "history.csv").write_text("\n".join(text) + "\n")
    add_to_summary(output, train={"best_epoch": 28})
    figures, notes = draw(output, monkeypatch)
    assert notes[:2] == [
        f"{output / 'history.csv'}: 1 of 30 epochs, from 4 on, have no finite {what}: not drawn"
        for what in ("validation cost", "validation accuracy")
    ]
    for picture, best in (
        ("cost_history", "lowest on validation: 0.2345 at epoch 29"),
        ("accuracy_history", "highest on validation: 98.3 % at epoch 29"),
    ):
        labels = {line.get_label() for line in figures[picture].axes[0].get_lines()}
        assert {"training", "validation", best, "weights kept: epoch 28"} <= labels


def test_the_time_of_each_epoch_is_drawn_by_phase_under_the_name_of_the_data(output, monkeypatch):
    keep_only(output, "summary.json")
    figures, notes = draw(output, monkeypatch)
    assert not [note for note in notes if "epoch_time" in note]
    figure = figures["epoch_time"]
    shares = {"compute": 62, "read": 5, "sum": 8, "schedule": 20, "update": 5}
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == [f"{name} {share} %" for name, share in shares.items()]
    assert figure.axes[0].texts[0].get_text() == "stripes · 30 epochs in 6 s · median epoch 200 ms"


def test_a_convolution_on_color_images_makes_samples_and_filters_of_color(output, monkeypatch):
    keep_only(output, "summary.json")
    write_color_run(output, "conv2d")
    add_to_summary(output, model={"input_shape": [4, 5, 3]})
    figures, _ = draw(output, monkeypatch)
    assert shape_of(figures["samples"]) == (4, 5, 3)
    assert shape_of(figures["weights"]) == (31, 31, 3)


def test_the_summary_says_the_shape_of_images_whose_network_begins_with_a_block(output, monkeypatch):
    keep_only(output, "summary.json")
    write_color_run(output, "residual")
    add_to_summary(output, model={"input_shape": [4, 5, 3]})
    figures, notes = draw(output, monkeypatch)
    assert shape_of(figures["samples"]) == (4, 5, 3)
    assert "weights" not in figures
    assert notes[-1].startswith("weights.png left out: the network begins with a residual layer, not with")


@pytest.mark.parametrize("has_summary", [True, False])
def test_the_model_file_says_the_shape_of_images_where_the_summary_does_not(output, monkeypatch, has_summary):
    keep_only(output, *(["summary.json"] if has_summary else []))
    write_color_run(output, "conv2d")
    figures, _ = draw(output, monkeypatch)
    assert shape_of(figures["samples"]) == (4, 5, 3)
