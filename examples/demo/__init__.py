"""The demo: every operation from ``.delay()`` to a fake Interakt and back, on a machine with nothing but Python and make."""
