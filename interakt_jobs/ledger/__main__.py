"""``python -m interakt_jobs.ledger accept`` prints a script of the ledger, for other languages."""

from __future__ import annotations

import sys

from .scripts import load

if len(sys.argv) != 2:
    sys.exit("name one script: python -m interakt_jobs.ledger accept")
try:
    sys.stdout.write(load(sys.argv[1]).text)
except FileNotFoundError as error:
    sys.exit(str(error))
