"""Data sets of small gray images: downloaded, read from IDX files or drawn, then written as text."""

from nn.datasets.synthetic import draw_digits

__all__ = ["draw_digits"]
