"""The platform, part by part; each has a short form here and a long one behind `python -m`."""
