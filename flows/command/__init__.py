"""The `genre` command: options to flows, results to people."""
