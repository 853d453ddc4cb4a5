"""Settings of hypothesis: the same cases every time, and no more than a test has time for."""

from hypothesis import HealthCheck, settings

EXAMPLES = 25
made_up = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
