"""How large and how deep an uploaded notebook may be."""

MAX_BYTES = 10_000_000
MAX_DEPTH = 64
MAX_CELLS = 2_000
MAX_CELL_BYTES = 1_000_000
MAX_METADATA_BYTES = 1_000_000
# Beyond this, readers that hold numbers as doubles (every browser) see another number than we do.
MAX_INTEGER = 2**53 - 1
# Python itself refuses longer ones, by an error that says nothing to the person who uploads.
MAX_NUMBER_DIGITS = 400
