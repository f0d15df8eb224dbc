"""Mini-batches are packed from the blocks of a partition."""

import numpy as np

from nn.core import random
from nn.data.batches import RowSelection, pack_batch
from nn.data.block import Block


def test_a_mini_batch_of_blocks_whose_rows_have_missing_values_holds_no_other_rows():
    rows = np.arange(0, 300, 3)
    blocks = [Block(part, part[:, None], part) for part in (rows[:40], rows[40:])]
    found = []
    for batch in range(7):
        selection = RowSelection(epoch=1, batch=batch, batches=7, total=300)
        packed = np.concatenate([block.rows for block in pack_batch(selection, blocks)])
        wanted = random.batch_rows(0, 1, batch, 300, 7)
        assert packed.tolist() == np.intersect1d(wanted, rows).tolist()
        found += packed.tolist()
    assert sorted(found) == rows.tolist()
