"""Files of a run: checkpoints, results, and the zip of this package."""
