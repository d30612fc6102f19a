"""What a long-running process owes its machine: word to the service manager, counters, exit codes."""
