"""Fetching archives: sources, downloads, checked contents, unpacking."""
