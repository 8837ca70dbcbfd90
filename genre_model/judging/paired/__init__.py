"""Two evaluations of the same tracks."""
