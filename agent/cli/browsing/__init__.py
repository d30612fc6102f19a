"""The tree of an OPC UA server in the terminal: `tsq-agent browse`."""
