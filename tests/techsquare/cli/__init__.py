"""The command, as a person types it."""
