"""Chaos: real workers, a real Redis and a real HTTP server are killed, frozen and cut; one oracle judges."""
