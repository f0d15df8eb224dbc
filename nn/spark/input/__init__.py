"""Read text, tables and tables of a catalog into cached blocks of rows; describe them; split off a test set."""
