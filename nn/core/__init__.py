"""What everything else stands on: errors, nests of arrays, randomness, options, files."""
