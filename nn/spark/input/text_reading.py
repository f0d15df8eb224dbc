"""Read the rows of numeric text into cached blocks, in one pass."""

from __future__ import annotations

from functools import partial

import numpy as np

from nn.data.labels import LabelReader
from nn.spark.input import cache
from nn.spark.input.input_files import Files
from nn.spark.input.parsing import CachedRows, Parsed, parse_images, without_inputs
from nn.spark.input.text_source import SplitStats, TextFile


def read_images(images: TextFile, files: Files, label_reader: LabelReader) -> CachedRows:
    """Parse all rows of numeric text and cache them. Raises DataError for the first line that is wrong."""
    parse = partial(parse_images, images.dialect, files.columns, label_reader, files.offsets)
    cached = images.parsed(parse).persist(cache.level_for(images))
    with cache.freed_on_error(cached):
        found = images.collect(
            cached.mapPartitionsWithIndex(partial(without_inputs, files.columns.has_sides))
        )
        placed = [pair for pair in found if isinstance(pair[1], SplitStats)]
        images.check([stats for _, stats in placed])
    firsts = np.cumsum([0, *(stats.rows for _, stats in placed)])[:-1]
    sides = [part for _, part in found if isinstance(part, Parsed)]
    return CachedRows(cached, placed, firsts, cache.row_bytes(images), cache.estimated_bytes(images), sides)
