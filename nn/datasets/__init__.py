"""Data sets of small gray images: downloaded, read from IDX files or drawn, then written as text."""
