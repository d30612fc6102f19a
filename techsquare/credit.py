"""How much of a loss is ever credited to what is done about it, and for how long: one rule for all engines."""

from __future__ import annotations

CREDITED = 0.7
"""Of a bucket's loss at most this share is ever credited: two measures on one bucket do not save it twice."""
YEARS = 3
"""Gains, costs and losses of an offer or a plan are counted over so many years."""
