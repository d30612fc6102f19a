"""What services owe their machine."""
