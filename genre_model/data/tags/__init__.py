"""What audio files say of themselves: genres, artists, albums, titles."""
