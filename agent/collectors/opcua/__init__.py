"""OPC UA: subscriptions and polls of an OPC UA server, by reads only."""
