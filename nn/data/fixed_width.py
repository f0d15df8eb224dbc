"""Read rows of fixed-width numbers with few distinct values: each distinct text is parsed once.

np.savetxt writes 0.5 as 5.000000000000000000e-01, 24 characters for each value, and an image has at most 256 distinct
values. A row is then a sequence of cells of one width. The bytes of a cell, as 64-bit words, are hashed to a slot of a
table of known texts and their values; a new text is parsed and added. That is several times as fast as parsing every
cell. Text of any other kind is left to the general reader.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_TABLE_BITS = 20
_MAX_TEXTS = 1024  # with many more, parsing every cell is as fast, and every hash has collisions
_MAX_HASHES = 16
_MAX_WIDTH = 32  # bytes of a cell
_CELLS_AT_ONCE = 32768  # so that the intermediate arrays fit the processor's cache


class CellReader:
    """A hash table of the texts read so far; one for each piece of text."""

    def __init__(self, to_number: Callable[[str], float | None]):
        self.to_number = to_number  # gives None for a text that is not a number
        self.useful = True
        self.known: dict[bytes, float] = {}
        self._hash = 0
        self._clear()

    def _clear(self) -> None:
        slots = 1 << _TABLE_BITS
        words = _MAX_WIDTH // 8
        self._words = np.zeros((words, slots), np.uint64)  # the text in each slot, word by word
        self._values = np.zeros(slots, np.float32)
        self._filled = np.zeros(slots, bool)

    def read(self, lines: list[bytes], separator: str | None, width: int) -> np.ndarray | None:
        """Parse lines as float32 (n, width). Return None unless they are cells of one width with few distinct texts."""
        cell, rest = divmod(len(lines[0]) + 1, width)
        cell -= 1
        if not self.useful or rest or not 1 < cell <= _MAX_WIDTH:
            return None
        if any(len(line) != len(lines[0]) for line in lines):
            return None
        text = b"\n".join(lines) + b"\n"
        cells = np.frombuffer(text, np.uint8).reshape(len(lines), width, cell + 1)
        if (cells[:, :-1, cell] != ord(separator or " ")).any():
            return None
        values = np.empty((len(lines), width), np.float32)
        for start in range(0, len(lines), step := max(1, _CELLS_AT_ONCE // width)):
            part = cells[start : start + step, :, :cell]
            numbers = self._look_up(part.reshape(-1, cell))
            self.useful = numbers is not None
            if numbers is None:
                return None
            values[start : start + step] = numbers.reshape(-1, width)
        return values

    def _look_up(self, cells: np.ndarray) -> np.ndarray | None:
        """Return the value of each cell (n, bytes), or None if one is not a number or there are too many texts."""
        words = _words_of(cells)
        slots = _slots_of(words, self._hash)
        known = self._filled.take(slots)
        for word, table in zip(words, self._words, strict=False):
            known &= table.take(slots) == word
        while not known.all():
            first = int(known.argmin())
            text = bytes(cells[first])
            value = self.to_number(text.decode("ascii", errors="replace").strip())
            if value is None or len(self.known) == _MAX_TEXTS:
                return None
            self.known[text] = value
            if self._filled[slots[first]]:
                return self._look_up(cells) if self._hash_again() else None
            self._put(text, value)
            same = words[0] == words[0][first]
            for word in words[1:]:
                same &= word == word[first]
            known |= same
        return self._values.take(slots)

    def _put(self, text: bytes, value: float) -> bool:
        """Add a text to the table. Return False if another text has its slot."""
        words = _words_of(np.frombuffer(text, np.uint8)[None])
        slot = _slots_of(words, self._hash)[0]
        if self._filled[slot]:
            return False
        for word, table in zip(words, self._words, strict=False):
            table[slot] = word[0]
        self._values[slot], self._filled[slot] = value, True
        return True

    def _hash_again(self) -> bool:
        """After a collision, choose another hash without collisions among the known texts."""
        while self._hash < _MAX_HASHES:
            self._hash += 1
            self._clear()
            if all(self._put(text, value) for text, value in self.known.items()):
                return True
        return False


def _words_of(cells: np.ndarray) -> list[np.ndarray]:
    """Return the cells (n, bytes) as 64-bit words: a list of contiguous arrays (n,)."""
    count = -(-cells.shape[1] // 8)
    padded = np.zeros((len(cells), 8 * count), np.uint8)
    padded[:, : cells.shape[1]] = cells
    return [word.copy() for word in padded.view(np.uint64).T]


def _slots_of(words: list[np.ndarray], number: int) -> np.ndarray:
    """Return each cell's slot in the table by hash function `number`, the top bits of a sum of products, (n,) int64."""
    factor = 0x9E3779B97F4A7C15 + 2 * number
    hashed = np.zeros(len(words[0]), np.uint64)
    for word in words:
        factor = factor * 0xD1342543DE82EF95 % (1 << 64)
        hashed += word * np.uint64(factor)
    hashed >>= np.uint64(64 - _TABLE_BITS)
    return hashed.astype(np.int64)
