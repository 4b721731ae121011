"""Loads how property tests run."""

import tests.support.properties  # imported for its effect: the hypothesis profile

__all__ = ["tests"]
