"""Read text files into cached blocks of rows."""
