"""Tests that need nothing.

hypothesis has no deadline here: a first example pays for imports, and a busy machine is no mistake of the code.
"""

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
