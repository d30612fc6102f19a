"""The market as a service: rows, nights, rounds, and what is published of them."""
