"""The agent under clocks that are wrong: real processes around which libfaketime lies about the wall clock."""
