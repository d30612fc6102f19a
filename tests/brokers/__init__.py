"""Every broker of the table, real, with a real agent and real gateways."""
