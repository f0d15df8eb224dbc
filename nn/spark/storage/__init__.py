"""Folders on any file system: OUTPUT, its checkpoints, and which run may write there."""
