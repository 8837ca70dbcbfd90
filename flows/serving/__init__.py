"""The page and the API that `genre serve` serves: one model, songs in, genres out."""
