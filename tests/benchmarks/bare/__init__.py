"""Starts of kernels with nothing that confines them, to tell what confinement adds to a start.

Only the benchmark has these: the product can fork and start kernels in no other way than confined.
"""
