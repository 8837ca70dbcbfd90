"""What tracks share with each other: artists, albums, and chains of both."""
