"""Tables that people write: CSV, Parquet, JSON lines."""
