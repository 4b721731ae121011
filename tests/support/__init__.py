"""What the tests stand on: real services, started once for a whole pytest session."""
