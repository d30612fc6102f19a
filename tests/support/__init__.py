"""What tests share: processes, ports, brokers, clocks. Fakes, not mocks."""
