"""Parameters as an approved, typed contract: what a notebook asks of the person who launches it."""
