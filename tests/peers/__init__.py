"""Servers of the tests that share no code with our clients."""
