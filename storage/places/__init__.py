"""Locations: one face for a folder on disk and a prefix of a bucket."""
