"""The main job end to end: real servers, broker, databases, and the agent and gateway as their users start them."""
