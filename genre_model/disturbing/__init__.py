"""How a model hears clips that were disturbed: re-encoded, filtered, louder, at another pitch."""
