"""Draw all pictures of a run: read and check its files first, then draw each picture that has its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from matplotlib.figure import Figure

from nn.plotting.confusion import confusion_figure
from nn.plotting.curves import accuracy_figure, cost_figure, rate_figure, undrawable
from nn.plotting.firstlayer import Filters
from nn.plotting.histories import Curve, read_series
from nn.plotting.images import samples_figure
from nn.plotting.labels import can_draw, percent, plain, short
from nn.plotting.metrics import metrics_figure
from nn.plotting.phases import phases_figure
from nn.plotting.regression import predicted_figure, residuals_figure
from nn.plotting.run_files import (
    COLUMNS,
    Run,
    declared_shape,
    is_regression,
    names_of,
    predicted_values_of,
    read_run,
)
from nn.plotting.shapes import image_shape
from nn.plotting.style import PART, house_style, save
from nn.plotting.textfiles import NotDrawableError, NotWrittenError
from nn.plotting.weights import filters_figure, weights_figure

Note = Callable[[str], None]


def draw_run(folder: Path, kind: str, note: Note) -> Iterator[Path]:
    """Draw every picture for which a run's OUTPUT has the data; yield the path of each once it is written."""
    run = read_run(folder)
    for name, noun, curve in _curves(run):
        _note_undrawable(folder / name, noun, curve, note)
    _note_names(folder / "summary.json", names_of(run), note)
    with house_style():
        for name, (needed, draw) in _pictures(run).items():
            path = folder / f"{name}.{kind}"
            try:
                if not run.keys() & set(needed):
                    raise NotDrawableError(f"no {' and no '.join(needed)} in {folder}{_when(needed)}")
                yield save(draw(run), path)
            except NotDrawableError as reason:
                older = "; the one that is there was drawn earlier" if path.exists() else ""
                note(f"{path.name} left out: {reason}{older}")


def draw_histories(
    costs: Path, accuracies: Path | None, folder: Path, kind: str, note: Note
) -> Iterator[Path]:
    """Draw cost and accuracy from two files of one number per line, or the cost alone."""
    cost = read_series(costs)
    accuracy = read_series(accuracies) if accuracies else None
    _note_undrawable(costs, "cost", cost, note)
    if accuracies and accuracy:
        _note_undrawable(accuracies, "accuracy", accuracy, note)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWrittenError(f"{folder}: cannot be made a folder ({error.strerror})") from None
    with house_style():
        yield save(cost_figure(cost), folder / f"cost_history.{kind}")
        if accuracy:
            yield save(accuracy_figure(accuracy), folder / f"accuracy_history.{kind}")


def _when(needed: tuple[str, ...]) -> str:
    return "" if "history.csv" in needed else " (a run writes it at its end)"


def _curves(run: Run) -> Iterator[tuple[str, str, Curve]]:
    """Yield the curves over the epochs: (file name, name of the quantity, curve)."""
    if "history.csv" in run:
        for noun, curve in run["history.csv"].curves.items():
            yield "history.csv", noun, curve
    for name, noun in (("cost_history", "cost"), ("accuracy_history", "accuracy")):
        if name in run:
            yield name, noun, run[name]


def _note_undrawable(path: Path, noun: str, curve: Curve, note: Note) -> None:
    missing = undrawable(curve)
    if missing:
        first = curve.epochs[~curve.drawable][0]
        note(
            f"{path}: {missing} of {len(curve.epochs)} epochs, from {first} on, have no finite {noun}: not drawn"
        )


def _note_names(path: Path, names: tuple[str, ...] | None, note: Note) -> None:
    missing = sum(not can_draw(plain(name, len(name))) for name in names or ())
    if missing:
        note(f"{path}: {missing} class names have characters that the font lacks: class numbers instead")


def _data_set(run: Run) -> str:
    return plain(run["summary.json"].name, 40) if "summary.json" in run else ""


def _about(run: Run) -> str:
    if "summary.json" not in run:
        return ""
    summary = run["summary.json"]
    scores = []
    if summary.accuracy is not None:
        scores = [f"test accuracy {percent(summary.accuracy, 2)}"]
    elif summary.errors is not None:
        rmse, r2 = summary.errors.rmse, summary.errors.r2
        scores = [f"test RMSE {'not finite' if rmse is None else short(rmse)}"]
        scores[0] += "" if r2 is None else f", R² {r2:.3f}"
    return PART.join([_data_set(run), *scores])


def _kept(run: Run) -> int | None:
    return run["summary.json"].best_epoch if "summary.json" in run else None


def _cost(run: Run) -> Figure:
    if "cost_history" in run:
        return cost_figure(run["cost_history"], _data_set(run), kept=_kept(run))
    history = run["history.csv"]
    return cost_figure(history.cost, _data_set(run), history.val_cost, _kept(run))


def _accuracy(run: Run) -> Figure:
    if "accuracy_history" in run:
        return accuracy_figure(run["accuracy_history"], _about(run), kept=_kept(run))
    history = run["history.csv"]
    if history.accuracy is None:
        raise NotDrawableError("history.csv has no accuracies")
    return accuracy_figure(history.accuracy, _about(run), history.val_accuracy, _kept(run))


def _rate(run: Run) -> Figure:
    return rate_figure(run["history.csv"].learning_rate, _data_set(run))


def _time(run: Run) -> Figure:
    phases = run["history.csv"].phases
    if phases is None:
        raise NotDrawableError("history.csv has no seconds by phase (older runs wrote none)")
    return phases_figure(phases, _data_set(run))


def _confusion(run: Run) -> Figure:
    return confusion_figure(run["confusion_matrix.csv"], names_of(run), _about(run))


def _metrics(run: Run) -> Figure:
    scores = run["metrics"] if "metrics" in run else run["summary.json"].scores
    if scores is None:
        raise NotDrawableError("the run has no test set")
    return metrics_figure(scores, names_of(run), _about(run))


def _samples(run: Run) -> Figure:
    examples = run["examples.csv"]
    if isinstance(examples, NotDrawableError):
        raise examples
    shape = image_shape(examples.inputs.shape[1], declared_shape(run))
    return samples_figure(examples, shape, names_of(run), _about(run))


def _predicted(run: Run) -> Figure:
    return predicted_figure(predicted_values_of(run), _about(run))


def _residuals(run: Run) -> Figure:
    return residuals_figure(predicted_values_of(run), _about(run))


def _weights(run: Run) -> Figure:
    layer = run["model.npz"]
    if isinstance(layer, NotDrawableError):
        raise layer
    if isinstance(layer, Filters):
        return filters_figure(layer, _data_set(run))
    if "summary.json" in run and run["summary.json"].is_table:
        raise NotDrawableError(COLUMNS)
    return weights_figure(layer, image_shape(len(layer.weights), layer.input_shape), _data_set(run))


# Name of each picture: the files of which it needs one, and the function that draws it.
PICTURES: dict[str, tuple[tuple[str, ...], Callable[[Run], Figure]]] = {
    "cost_history": (("history.csv", "cost_history"), _cost),
    "accuracy_history": (("history.csv", "accuracy_history"), _accuracy),
    "learning_rate": (("history.csv",), _rate),
    "epoch_time": (("history.csv",), _time),
    "confusion_matrix": (("confusion_matrix.csv",), _confusion),
    "class_metrics": (("summary.json", "metrics"), _metrics),
    "samples": (("examples.csv",), _samples),
    "predicted": (("predicted.csv",), _predicted),
    "residuals": (("predicted.csv",), _residuals),
    "weights": (("model.npz",), _weights),
}
OF_CLASSES = ("accuracy_history", "confusion_matrix", "class_metrics", "samples")
OF_VALUES = ("predicted", "residuals")
OF_TRAINING = ("cost_history", "accuracy_history", "learning_rate", "epoch_time", "weights")


def _pictures(run: Run) -> dict[str, tuple[tuple[str, ...], Callable[[Run], Figure]]]:
    """Return the pictures of a run's task: those of classes, or those of a regression."""
    summary = run.get("summary.json")
    others: tuple[str, ...] = OF_CLASSES if is_regression(run) else OF_VALUES
    if summary is not None and not summary.is_training:
        others += OF_TRAINING
    return {name: picture for name, picture in PICTURES.items() if name not in others}
