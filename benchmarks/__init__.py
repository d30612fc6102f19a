"""Measurements of our own parts and of candidates for them; run by hand."""
