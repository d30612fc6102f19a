"""The demo: its model, its servers, its history, its screen, and the whole of it."""
