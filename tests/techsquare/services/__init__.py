"""Use cases from rows to rows, on both databases."""
