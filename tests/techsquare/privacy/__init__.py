"""Tests of privacy; `python -m tests.techsquare.privacy` prints what an attacker learns."""
