"""What the shop remembers."""

from django.db import models

from interakt_jobs import new_id


class Order(models.Model):
    """One order; ``job`` is the id of its message from the beginning, ``told`` what the worker said it came to."""

    phone = models.CharField(max_length=15)
    name = models.CharField(max_length=80)
    quantity = models.PositiveIntegerField()
    job = models.CharField(max_length=120, default=new_id, unique=True)
    told = models.CharField(max_length=20, default="")
