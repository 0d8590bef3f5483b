"""Recipients: read from files and lists, checked row by row."""
