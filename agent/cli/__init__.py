"""The command `tsq-agent`."""
