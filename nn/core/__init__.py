"""The foundation that all other folders import: errors, trees of arrays, random numbers, options, files."""
