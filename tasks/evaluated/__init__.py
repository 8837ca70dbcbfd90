"""What is kept of an evaluation: its metrics, its report."""
