"""Tests of the fit test: register, book, versions."""
