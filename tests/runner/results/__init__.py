"""Tests of what a run leaves: the vault, rendering, the content origin, exports."""
