"""Notebooks, their immutable versions, the catalog and its search."""
