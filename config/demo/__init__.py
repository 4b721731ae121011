"""The demo: one command that starts everything on this machine, with an invented hospital."""
