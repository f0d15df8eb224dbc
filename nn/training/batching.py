"""Turn the blocks of a partition into batches that enter the network: select, pack, scale, augment."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from nn.core import random
from nn.data.augmentation import augment
from nn.data.batches import RowSelection, select_blocks
from nn.data.block import Block
from nn.models.sequential import Sequential
from nn.training.records import Batch
from nn.training.timing import TimedIterator


def select(
    model: Sequential, augmentation: tuple, selection: RowSelection, blocks: Iterable[Block]
) -> Iterator[Batch]:
    """Yield a batch for each block with selected rows. Its stopwatch starts when the block has been read."""
    timed, waited = TimedIterator(blocks), 0.0
    began = time.perf_counter()
    for block in select_blocks(selection, timed):
        batch = start_batch(model, selection, block)
        batch.read, waited = timed.seconds - waited, timed.seconds
        batch.began = began + batch.read  # so that packing a mini-batch counts as computing
        if augmentation and batch.key is not None:
            batch.x = augment(augmentation, batch.x, batch.rows, selection.seed, selection.epoch)
        yield batch
        began = time.perf_counter()  # by now the batch has gone through all stages


def start_batch(model: Sequential, selection: RowSelection, block: Block) -> Batch:
    """Scale the inputs, draw the rows that the gradients are of, and give random layers their key."""
    batch = Batch(
        block.rows, model.targets(block.labels), block.weights, model.prepare(block.inputs), block.validation
    )
    if block.validation or selection.fraction == 0:
        return batch
    if selection.fraction < 1:
        batch.sampled = random.sample(selection.seed, selection.epoch, block.rows, selection.fraction)
    first = int(block.rows[0]) if len(block.rows) else 0
    batch.key = random.Key((random.LAYERS, selection.seed, selection.epoch, first))
    return batch
