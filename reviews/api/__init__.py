"""The API of notebooks with their reviews, by noun."""
