"""Tests of the OPC UA collector, against node-opcua."""
