"""What all kinds of made-up input share: odd strings, changed bytes, and what a message must be."""

from __future__ import annotations

import random
import re

import numpy as np

ACCEPTED, REFUSED = "accepted", "refused"
Random = random.Random

HOSTILE = "a\n\x1b[31m"  # would make two lines, and colour a terminal

NUMBERS = [
    "0",
    "7",
    "255",
    "300",
    "-1",
    "1.5",
    "1e3",
    "-2.5E-3",
    ".5",
    "5.",
    "+4",
    " 3",
    "3 ",
    "1e-400",
    "00012",
]
WRONG = [
    "",
    " ",
    "x",
    "1x",
    "nan",
    "inf",
    "-Infinity",
    "1e39",
    "0x10",
    "1_000",
    "1,5",
    "½",
    "٣",
    "1e",
    "--1",
    "1 2",
]
WRONG += [
    "\x00",
    "\ufeff1",
    "'1'",
    "None",
    "1e400",
    "1.2.3",
    "\x1a",
    "=1+1",
    "0b1",
    "1d3",
    "%s",
    "٫5",
    "\u2212" + "1",
]
FLOAT32 = float(np.finfo(np.float32).max)


NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def bent(random: Random, content: bytes) -> bytes:
    """The bytes, changed a little: flipped, cut, repeated, swapped or filled."""
    changed = bytearray(content)
    for _ in range(random.choice([1, 1, 1, 2, 8])):
        position = random.randrange(len(changed) + 1) if changed else 0
        match random.randrange(6):
            case 0 if position < len(changed):
                changed[position] ^= 1 << random.randrange(8)
            case 1:
                del changed[position:]
            case 2:
                changed[position:position] = random.randbytes(random.randint(1, 9))
            case 3:
                del changed[position : position + random.randint(1, 40)]
            case 4:
                changed[position : position + 4] = random.choice(
                    [b"\xff" * 4, b"\0" * 4, b"\x7f\xff\xff\xff"]
                )
            case _:
                changed[position : position + 8] = changed[:8]
    return bytes(changed)


JSON = [
    None,
    True,
    False,
    0,
    -1,
    1,
    2**70,
    0.5,
    -0.0,
    1e308,
    "",
    "x",
    "dense",
    "9" * 50,
    [],
    [1],
    {},
    {"name": "x"},
    [[[]]],
]
JSON += [{"array": 0}, {"array": 99}, {"number": "nan"}, "\x00", "é" * 9, 10**400, 2**40, 2**61, HOSTILE]


def changed_json(random: Random, value):
    """The value with one of its parts replaced, added or left out."""
    if isinstance(value, dict) and value and random.random() < 0.8:
        key = random.choice(list(value))
        match random.randrange(8):
            case 0:
                return {name: each for name, each in value.items() if name != key}
            case 1:
                more = random.choice(["more", "", "array", HOSTILE, key.upper()])
                return {**value, more: random.choice(JSON)}
            case _:
                return {**value, key: changed_json(random, value[key])}
    if isinstance(value, list) and value and random.random() < 0.8:
        position = random.randrange(len(value))
        match random.randrange(6):
            case 0:
                return value[:position] + value[position + 1 :]
            case 1:
                return [*value, value[position]]
            case _:
                return [*value[:position], changed_json(random, value[position]), *value[position + 1 :]]
    return random.choice(JSON)


def one_line(message: str) -> None:
    """Raise AssertionError for a message that is empty, of several lines, steers a terminal, or is of no use."""
    assert message and message.isprintable(), repr(message)
    assert "Traceback" not in message and len(message) < 2000, repr(message[:3000])
