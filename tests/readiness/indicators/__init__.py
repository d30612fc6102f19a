"""Each indicator against plants whose truth is known."""
