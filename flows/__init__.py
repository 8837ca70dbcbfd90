"""Order: flows, the cluster they run on, schedules, artifacts, and the `genre` command."""
