"""Indicators against truths that are counted second by second, by code that the analyzers share nothing with."""
