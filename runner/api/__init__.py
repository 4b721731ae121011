"""The API of runs, by noun."""
