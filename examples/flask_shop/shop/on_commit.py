"""``on_commit(session, call)``: do something when the session's transaction commits, never when it is rolled back."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

KEPT = "on_commit"


def on_commit(session: Session, call: Callable[[], object]) -> None:
    """Make ``call`` after the outermost commit; a savepoint that is rolled back takes its calls with it."""
    if not session.in_transaction():
        session.begin()
    session.info.setdefault(KEPT, []).append((_depth(session), call))


def _depth(session: Session) -> int:
    """How many savepoints are open."""
    depth, transaction = 0, session.get_nested_transaction()
    while transaction is not None:
        depth, transaction = depth + transaction.nested, transaction.parent
    return depth


@event.listens_for(Session, "after_commit")
def _committed(session: Session) -> None:
    depth, calls = _depth(session), session.info.pop(KEPT, [])
    if depth:
        session.info[KEPT] = [(min(at, depth - 1), call) for at, call in calls]
        return
    for _, call in calls:
        call()


@event.listens_for(Session, "after_rollback")
def _rolled_back(session: Session) -> None:
    depth = _depth(session)
    session.info[KEPT] = [(at, call) for at, call in session.info.pop(KEPT, []) if at < depth]


@event.listens_for(Session, "after_transaction_end")
def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:  # closed without a commit
        session.info.pop(KEPT, None)
