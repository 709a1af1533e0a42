"""How many examples the property tests draw: enough for every change, many more with --hypothesis-profile=deep.

Hypothesis picks its own "ci" profile on a machine that says it is one; ours stands under both names, so that a test
means the same everywhere.
"""

from hypothesis import HealthCheck, settings

USUAL = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
settings.register_profile("default", USUAL)
settings.register_profile("ci", USUAL)
settings.register_profile("deep", USUAL, derandomize=False, max_examples=2000, print_blob=True)
