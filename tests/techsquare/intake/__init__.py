"""Tests of what is taken in from agents."""
