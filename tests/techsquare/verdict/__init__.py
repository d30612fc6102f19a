"""Verdicts, against simulated truth; `python -m tests.techsquare.verdict` prints the tables."""
