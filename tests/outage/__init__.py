"""An outage of the line: the spool fills in data time, and drains while live data goes on."""
