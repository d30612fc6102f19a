"""What people answer: the mentor's inputs, joined with the configuration into what readiness calls a plant."""
