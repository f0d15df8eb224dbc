"""A run on a cluster: its options, its data and the training that is assembled from them."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from nn.cli import starting
from nn.cli.options import Options
from nn.core.options import LARGEST_FILE
from nn.models.sequential import Params
from nn.spark.backend import SparkBackend
from nn.spark.input import reader
from nn.spark.input.reader import Dataset
from nn.spark.input.shuffle import shuffled
from nn.spark.storage.filesystem import Storage
from nn.training.evaluation import AnyScore
from nn.training.records import Progress
from nn.training.run import TrainingRun

LONGEST_NAME = 80  # characters


class Run(NamedTuple):
    """A run whose data are read and divided: all that training and its results depend on."""

    context: Any  # Spark's
    options: Options  # with the defaults that depend on the data
    train: Dataset
    test: Dataset | None
    names: dict[str, Any]  # of the data and of their classes
    training: TrainingRun
    backend: SparkBackend

    @property
    def fingerprints(self) -> dict[str, Any]:
        """Return what identifies the data and the model to start from; a resumed run must have the same."""
        start_from = self.training.start_from
        return {
            "train": self.train.fingerprint,
            "test": self.test and self.test.fingerprint,
            "partitions": self.train.partitions,
            **({} if start_from is None else {"start_from": start_from.fingerprint}),
        }


class Outcome(NamedTuple):
    """The end of a run."""

    progress: Progress
    params: Params  # the ones that the model keeps
    score: AnyScore | None  # on the test set, if there is one


def read(context: Any, storage: Storage, options: Options) -> Run:
    """Read the model to start from and both sets, assemble the training, and divide the training rows as it needs them.

    Raises DataError for the first fault of the data, UsageError where the options do not fit them.
    """
    start_from = starting.read(storage, options)
    reading = options.reading_for(None if start_from is None else start_from.model)
    train_source, test_source = options.sources()
    with options.get_data_hint():
        train, test = reader.read_both(
            context, storage, train_source, test_source, options.partition_count, reading
        )
    if options.shuffle_once:
        train = shuffled(train, options.recipe.seed)
    names = names_of(storage, options.train_images, train.rows)
    backend = SparkBackend(train.blocks, train.cached, train.weighted)
    training = options.training_run(train.facts, backend, start_from)
    return Run(context, options.with_recipe(training.recipe), train, test, names, training, backend)


def names_of(storage: Storage, train_images: str, rows: int) -> dict[str, Any]:
    """Return the name and class names in the dataset.json beside the training images, or else the file's name."""
    folder, slash, name = train_images.rpartition("/")
    unnamed = {"name": name or train_images, "class_names": None}
    try:
        about = json.loads(storage.read(f"{folder}{slash}dataset.json", LARGEST_FILE) or b"null")
    except Exception:  # whatever it is: a run does not end for want of a name
        return unnamed
    # It may describe other files that were in the folder before: the number of rows must agree.
    if not isinstance(about, dict) or not _is_name(about.get("name")) or about.get("train_rows") != rows:
        return unnamed
    classes = about.get("classes")
    has_names = isinstance(classes, list) and all(map(_is_name, classes))
    return {"name": about["name"], "class_names": classes if has_names else None}


def _is_name(value: Any) -> bool:
    """Return whether a value is a text that fits in a line."""
    return isinstance(value, str) and value.isprintable() and len(value) <= LONGEST_NAME
