"""What Prefect shows: artifacts, events, blocks, the temporary server."""
