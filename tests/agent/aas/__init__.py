"""The plant as Asset Administration Shells."""
