"""Tests of what every configuration file is made of."""
