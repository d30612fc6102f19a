"""Frames to evidence."""
