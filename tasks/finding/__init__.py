"""What lies in a data folder that a user named, and what its files say of themselves."""
