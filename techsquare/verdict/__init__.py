"""What a project has changed, against machines that were left alone; and what could be shown before anyone buys."""
