"""Roadmaps: the same as by trying everything, within the means, with reasons that hold."""
