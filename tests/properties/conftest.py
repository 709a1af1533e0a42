"""How many examples: enough for every change by default, many more with --hypothesis-profile=deep."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "default",
    derandomize=True,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile(
    "deep", settings.get_profile("default"), derandomize=False, max_examples=2000, print_blob=True
)
