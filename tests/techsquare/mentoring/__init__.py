"""Tests of mentoring; `python -m tests.techsquare.mentoring` prints its long tables."""
