"""Connections to MQTT brokers, for the agent, the gateway and the platform alike."""
