"""Files and databases to a report."""
