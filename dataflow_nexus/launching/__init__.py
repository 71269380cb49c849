"""The ``nexus`` command: finds the application, loads it, and hands over to a channel."""
