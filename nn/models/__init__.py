"""A network as a whole: its layers in order, losses, metrics, the trained classifier and its file."""
