"""Days in Korea, which the platform counts in, and instants (ns since 1970), which rows keep."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

DAY_NS = 86_400 * 10**9


def day_of(now: int) -> date:
    """Return the day in Korea of an instant."""
    return (datetime.fromtimestamp(now // 10**9, UTC) + timedelta(hours=9)).date()


def instant(day: date) -> int:
    """Return the instant at which a day begins in Korea."""
    return int((datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=9)).timestamp()) * 10**9


def quarter(day: date) -> str:
    """Return the quarter of a day, as slots name it."""
    return f"{day.year}-Q{(day.month + 2) // 3}"
