"""Tests of matching; `python -m tests.techsquare.matching` prints its long tables."""
