"""Read fixed-width rows of few different numbers: each different text is turned into a number once.

np.savetxt writes 0.5 as 5.000000000000000000e-01, every value 24 characters wide, and an image has at most 256
different values. A row is then a run of cells of one width. A cell's bytes, seen as 64-bit words, are hashed to a place
in a table that holds these words and their value; what the table does not hold yet is parsed and put there. Several
times as fast as parsing every cell; a text that is not of this kind is left to the general reader.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_TABLE_BITS = 20
_MOST_TEXTS = 1024  # with many more, parsing each is as fast, and no hash keeps them all apart
_MOST_HASHES = 16
_WIDEST_CELL = 32
_CELLS_AT_ONCE = 32768  # so that the arrays between two steps stay in the processor's cache


class CellReader:
    """A table of the texts seen so far; one for each piece of text."""

    def __init__(self, to_number: Callable[[str], float | None]):
        self.to_number = to_number  # None for a text that is no number
        self.useful = True
        self.known: dict[bytes, float] = {}
        self._hash = 0
        self._clear()

    def _clear(self) -> None:
        places = 1 << _TABLE_BITS
        words = _WIDEST_CELL // 8
        self._words = np.zeros((words, places), np.uint64)  # what stands at each place, word by word
        self._values = np.zeros(places, np.float32)
        self._filled = np.zeros(places, bool)

    def read(self, lines: list[bytes], separator: str | None, width: int) -> np.ndarray | None:
        """float32 (n, width), or None where the lines are not cells of one width with few different texts."""
        cell, rest = divmod(len(lines[0]) + 1, width)
        cell -= 1
        if not self.useful or rest or not 1 < cell <= _WIDEST_CELL:
            return None
        if any(len(line) != len(lines[0]) for line in lines):
            return None
        text = b"\n".join(lines) + b"\n"
        cells = np.frombuffer(text, np.uint8).reshape(len(lines), width, cell + 1)
        if (cells[:, :-1, cell] != ord(separator or " ")).any():
            return None
        values = np.empty((len(lines), width), np.float32)
        for start in range(0, len(lines), step := max(1, _CELLS_AT_ONCE // width)):
            some = cells[start : start + step, :, :cell]
            found = self._look_up(some.reshape(-1, cell))
            self.useful = found is not None
            if found is None:
                return None
            values[start : start + step] = found.reshape(-1, width)
        return values

    def _look_up(self, cells: np.ndarray) -> np.ndarray | None:
        """The value of each cell (n, bytes), (n,); None where one is no number or there are too many texts."""
        words = _words_of(cells)
        places = _places_of(words, self._hash)
        seen = self._filled.take(places)
        for word, table in zip(words, self._words, strict=False):
            seen &= table.take(places) == word
        while not seen.all():
            first = int(seen.argmin())
            text = bytes(cells[first])
            value = self.to_number(text.decode("ascii", errors="replace").strip())
            if value is None or len(self.known) == _MOST_TEXTS:
                return None
            self.known[text] = value
            if self._filled[places[first]]:
                return self._look_up(cells) if self._hash_again() else None
            self._put(text, value)
            same = words[0] == words[0][first]
            for word in words[1:]:
                same &= word == word[first]
            seen |= same
        return self._values.take(places)

    def _put(self, text: bytes, value: float) -> bool:
        """Give a text its place in the table; False where another has it."""
        words = _words_of(np.frombuffer(text, np.uint8)[None])
        place = _places_of(words, self._hash)[0]
        if self._filled[place]:
            return False
        for word, table in zip(words, self._words, strict=False):
            table[place] = word[0]
        self._values[place], self._filled[place] = value, True
        return True

    def _hash_again(self) -> bool:
        """Two texts want one place: choose another hash that keeps all known texts apart."""
        while self._hash < _MOST_HASHES:
            self._hash += 1
            self._clear()
            if all(self._put(text, value) for text, value in self.known.items()):
                return True
        return False


def _words_of(cells: np.ndarray) -> list[np.ndarray]:
    """The cells (n, bytes) as 64-bit words, a contiguous array (n,) for each."""
    count = -(-cells.shape[1] // 8)
    padded = np.zeros((len(cells), 8 * count), np.uint8)
    padded[:, : cells.shape[1]] = cells
    return [word.copy() for word in padded.view(np.uint64).T]


def _places_of(words: list[np.ndarray], number: int) -> np.ndarray:
    """Where each cell stands in the table of hash `number`: the top bits of a sum of products, (n,) int64."""
    factor = 0x9E3779B97F4A7C15 + 2 * number
    hashed = np.zeros(len(words[0]), np.uint64)
    for word in words:
        factor = factor * 0xD1342543DE82EF95 % (1 << 64)
        hashed += word * np.uint64(factor)
    hashed >>= np.uint64(64 - _TABLE_BITS)
    return hashed.astype(np.int64)
