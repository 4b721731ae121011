"""What a run made: kept encrypted, rendered harmless, shown on an origin of its own."""
