"""`genre up` and `genre down`: a server, its deployments and workers on this machine."""
