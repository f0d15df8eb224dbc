"""Rows on their way to the network: text, blocks, mini-batches, augmentation, what is held out."""
