"""Measurements, not tests: `make bench` runs them, the suite does not collect them."""
