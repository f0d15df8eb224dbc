"""Data sets of small grey images: downloaded, read from IDX files or drawn, then written as text."""
