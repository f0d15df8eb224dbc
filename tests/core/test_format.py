"""Text for people: safe lines, sizes and durations."""

import io

import pytest

from nn.core import format


def test_a_line_cannot_steer_a_terminal():
    assert format.line("a\nb\x1b[2J\udcff é") == r"a\nb\x1b[2J\udcff é"
    assert format.lines("a\nb\tc") == "a\nb\\tc"


def test_a_long_line_is_cut():
    assert format.line("x" * format.LONGEST_LINE) == "x" * format.LONGEST_LINE
    cut = format.line("x" * 5000)
    assert len(cut) == format.LONGEST_LINE and cut.endswith("x...")


@pytest.mark.parametrize(("print_", "shown"), [(format.print_line, "a\\nb"), (format.print_lines, "a\nb")])
def test_what_the_stream_cannot_encode_is_escaped(print_, shown):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", newline="\n")
    print_("a\nb é", stream, start="\r", end="")
    assert stream.buffer.getvalue().decode() == f"\r{shown} \\xe9"


def test_a_size_chooses_its_unit():
    sizes = [format.size(n) for n in (0, 999, 3840, 1_234_567, 5 * 10**9)]
    assert sizes == ["0 bytes", "999 bytes", "3.84 kB", "1.23 MB", "5 GB"]


def test_a_duration_chooses_its_unit():
    durations = [format.duration(s) for s in (0.0123, 0.9994, 0.9996, 3.816, 99.94, 99.96, 1234.5)]
    assert durations == ["12.3 ms", "999 ms", "1 s", "3.82 s", "99.9 s", "100 s", "1,234 s"]


def test_a_clock_chooses_its_units():
    assert [format.clock(s) for s in (0.4, 59, 185, 7620)] == ["0s", "59s", "3m05s", "2h07m"]
