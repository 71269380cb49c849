"""What can be done to a model."""
