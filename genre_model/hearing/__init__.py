"""What is heard of a whole song: genres over time, passages, a mel picture."""
