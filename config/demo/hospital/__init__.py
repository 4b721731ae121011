"""The demo hospital: invented people, real rules."""
