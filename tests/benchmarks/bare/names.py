"""What both sides of the benchmark's template call a start without confinement."""

BARE = "bare"
