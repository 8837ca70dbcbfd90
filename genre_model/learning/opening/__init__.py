"""Opening a model that anybody may have made: what its files hold is checked before it is used."""
