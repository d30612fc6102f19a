"""Frames to evidence: one idea a module, pure, on whole blocks."""
