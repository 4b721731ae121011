"""Wiring: settings, URLs, the ASGI and Celery applications."""

import gc

# A process of ours makes a quarter of a million objects while it imports, and keeps them. To
# look for garbage after every seven hundred, as Python does, is a tenth of the time to start.
gc.set_threshold(50_000, 20, 20)
