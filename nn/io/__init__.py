"""Values to bytes and back: checkpoints, results, the package itself."""
