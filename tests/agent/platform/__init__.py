"""The platform's side of an agent."""
