"""Tests of the mentor's answers."""
