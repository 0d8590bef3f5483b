"""Ordering, and looking at an order."""

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from interakt_jobs import Job, NoSuchJob

from .messages import confirm
from .models import Order

IN_STOCK = 100


class OutOfStock(Exception):
    """There are not so many."""


@csrf_exempt
@require_POST
def place(request: HttpRequest) -> JsonResponse:
    """Store an order; its message is enqueued when, and only when, the transaction commits."""
    try:
        with transaction.atomic():
            order = Order.objects.create(
                phone=request.POST["phone"],
                name=request.POST["name"],
                quantity=int(request.POST["quantity"]),
            )
            # robust: the order stands even if Redis is away now; tasks.catch_up sends the message then
            transaction.on_commit(lambda: confirm(order), robust=True)
            if order.quantity > IN_STOCK:
                raise OutOfStock
    except OutOfStock:
        return JsonResponse({"error": "out of stock"}, status=409)
    return JsonResponse({"order": order.id}, status=201)


@require_GET
def show(_: HttpRequest, order_id: int) -> JsonResponse:
    """The order, and where its message is now."""
    order = get_object_or_404(Order, id=order_id)
    try:
        status = Job(order.job).status
    except NoSuchJob:
        status = "NONE"
    return JsonResponse(
        {"order": order.id, "job": order.job, "status": status, "message_state": order.message_state}
    )
