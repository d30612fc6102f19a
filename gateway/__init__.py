"""The gateway: MQTT batches into a time-series store; confirms what is stored."""
