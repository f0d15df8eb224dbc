"""Read and write files on any file system: OUTPUT, its lock, its checkpoints and its results."""
