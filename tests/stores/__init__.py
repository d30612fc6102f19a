"""Tests of the stores: one contract, and what each has besides."""
