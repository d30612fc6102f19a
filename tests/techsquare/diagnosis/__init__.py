"""Diagnosis, against what machines really did; `python -m tests.techsquare.diagnosis` prints the long tables."""
