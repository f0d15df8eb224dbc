"""Text files into cached blocks of rows."""
