"""What holds for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How long an example took, and how long it took to draw, tells of the load of this machine and of nothing in here.
settings.register_profile("unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
