"""Tests of the collectors, each against a server that shares no code with it."""
