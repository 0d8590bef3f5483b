"""Dispatch: which jobs go to which queue, and which processes are there to take them."""
