"""Entry without hardware, against a factory whose truth is known."""
