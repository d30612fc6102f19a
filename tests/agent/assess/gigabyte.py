"""Reads a generated CSV of more than a gigabyte and prints the memory that it took."""

from __future__ import annotations

from tests.agent.assess.test_pieces import used

if __name__ == "__main__":
    for rows in (20_000, 1_100_000):
        print(f"{rows:>9,} rows of 50 numbers: {used(rows):.0f} MB")  # noqa: T201 - for a person
