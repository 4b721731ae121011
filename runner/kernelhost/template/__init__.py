"""The template: a warm interpreter of one environment that forks confined kernels.

These modules run inside the environment, with nothing but its own Python; the kernel host
shows them to it read-only. The host's side is :mod:`runner.kernelhost.fork`.
"""
