"""Things that tests need, made through the real services."""
