"""Suppliers that offer a thousand times, against the running platform."""
