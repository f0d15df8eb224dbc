"""Words in, lines out: options, the console, and how a run is looked over, resumed and ended."""
