"""FMA's own tables, and where its audio lies."""
