"""Train on DataFrames of a session that the user made: their columns become cached blocks."""
