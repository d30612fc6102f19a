"""LS ELECTRIC XGT FEnet: see README.md."""
