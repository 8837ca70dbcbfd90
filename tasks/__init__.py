"""Units of work: each reads from storage, calls one pure function, and writes to storage."""
