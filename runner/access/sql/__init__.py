"""The SQL that `install` runs in an owner's database, one file per subject."""

from importlib.resources import files


def script(name: str) -> bytes:
    """Return the text of `name`.sql; bytes, because psycopg then takes it as it is."""
    return files(__package__).joinpath(f"{name}.sql").read_bytes()
