"""The XGT collector."""
