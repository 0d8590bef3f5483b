"""Ordering, and looking at an order."""

import os
from functools import partial

from flask import Blueprint, abort, request

from interakt_jobs import Job, NoSuchJob

from .database import Order, Session
from .messages import confirm
from .on_commit import on_commit

IN_STOCK = 100
orders = Blueprint("orders", __name__)


@orders.post("/orders")
def place() -> tuple[dict[str, int], int]:
    """Store an order; its message is enqueued when, and only when, the transaction commits."""
    form = request.form
    with Session.begin() as session:
        order = Order(phone=form["phone"], name=form["name"], quantity=int(form["quantity"]))
        session.add(order)
        session.flush()
        on_commit(session, partial(confirm, order))
        if order.quantity > IN_STOCK:
            abort(409, "out of stock")
    return {"order": order.id, "process": os.getpid()}, 201


@orders.get("/orders/<int:order_id>")
def show(order_id: int) -> dict[str, object]:
    """The order, and where its message is now."""
    with Session() as session:
        order = session.get(Order, order_id) or abort(404)
    try:
        status = Job(order.job).status
    except NoSuchJob:
        status = "NONE"
    return {"order": order.id, "job": order.job, "status": status, "message_state": order.message_state}
