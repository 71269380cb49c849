"""One Django project that serves the same table four times, each in the way of one peer."""
