"""A faithful fake Interakt, and a throw-away Valkey beside it, for demos, tests, benchmarks and staging."""
