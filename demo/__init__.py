"""The main job on a simulated factory, with one command."""
