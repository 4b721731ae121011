"""Pages of this app: signing in, the own profile, keeping people and groups."""
