"""The feature array: plans, rows, shards, manifests, tables, verification."""
