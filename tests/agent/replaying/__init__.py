"""Recordings played against the real collectors."""
