"""How hypothesis runs here: no deadline per example, because other work shares the machine."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "countersign",
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("countersign")
