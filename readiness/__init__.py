"""Readiness: evidence to indicators, with intervals and reasons. Pure; agent and techsquare import it."""
