"""Evidence to indicators to report."""
