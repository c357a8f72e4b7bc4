"""Everything with a driver: databases, brokers, meters, payment channels and the terminal."""
