"""``python -m sandbox``: the command line."""

from __future__ import annotations

import argparse
import sys

from sandbox.server import run
from sandbox.settings import CHOICES, Settings

EXAMPLES = """examples:
  python -m sandbox --port 8900
      then set INTERAKT_BASE_URL=http://127.0.0.1:8900/v1/public/ and any key that is base64 of "token:"
  python -m sandbox --port 0 --calls-per-minute 600 --window fixed
  python -m sandbox --relaxed --permissive --calls-per-minute 0     every number and template passes, no limit
  curl http://127.0.0.1:8900/_sandbox/summary                       what arrived
"""


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: use 0 to 65535")
    return port


def parser() -> argparse.ArgumentParser:
    """All options, with their defaults."""
    made = argparse.ArgumentParser(
        prog="python -m sandbox",
        description="A faithful fake of the Interakt API. Prints its URL when it is ready.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = made.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (127.0.0.1)")
    add("--port", type=_port, default=8900, help="0 takes a free one (8900)")
    add(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="allow only this key; may be repeated (any key)",
    )
    add("--calls-per-minute", type=float, default=300, metavar="N", help="limit per key, 0 for none (300)")
    add("--window-seconds", type=float, default=60, metavar="S", help="length of the limit's window (60)")
    add("--window", choices=CHOICES["window"], default="sliding", help="kind of window (sliding)")
    add("--retry-after", action="store_true", help="send Retry-After with 429")
    checks = made.add_mutually_exclusive_group()
    checks.add_argument("--strict", action="store_true", help="9999999999 too must have been tracked")
    checks.add_argument("--relaxed", action="store_true", help="any number, without the 24-hour window")
    add("--permissive", action="store_true", help="unknown templates pass with any values")
    add("--auto-approve", action="store_true", help="created templates are approved at once")
    add(
        "--refuse-duplicates",
        action="store_true",
        help="refuse a name that exists already",
    )
    add("--answers", choices=CHOICES["answers"], default="current", help="answers of track/ (current)")
    add(
        "--keepalive-seconds",
        type=float,
        default=0,
        metavar="S",
        help="close idle connections (0: never)",
    )
    add("--keep", type=int, default=1_000_000, metavar="N", help="calls to remember (1000000)")
    add("--keep-bodies", type=int, default=10_000, metavar="N", help="bodies to remember (10000)")
    return made


def main(arguments: list[str]) -> None:
    """Parse and run; wrong options end with status 2."""
    made = parser()
    given = vars(made.parse_args(arguments))
    host, port = given.pop("host"), given.pop("port")
    keys = tuple(given.pop("key"))
    strict, relaxed = given.pop("strict"), given.pop("relaxed")
    settings = Settings(keys=keys, keep=given.pop("keep"), keep_bodies=given.pop("keep_bodies"))
    try:
        settings.change({**given, "checks": "strict" if strict else "relaxed" if relaxed else "default"})
        run(settings, host, port)
    except ValueError as error:
        made.error(str(error))
    except OSError as error:
        made.exit(1, f"{made.prog}: {error}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
