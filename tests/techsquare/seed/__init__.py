"""The seed's problems, each from beginning to end, and a factory that never gets an agent."""
