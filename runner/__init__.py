"""Runs: parameters, rights, kernels, results."""
