"""Tests of `techsquare.simulation`."""
