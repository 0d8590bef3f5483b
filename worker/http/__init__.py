"""HTTP: connections with a total deadline, below ``requests``."""
