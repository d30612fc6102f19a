"""Who may connect, what may be read and written by whom, and what never leaves: on real brokers."""
