"""The shop's paths."""

from django.urls import path

from . import views

urlpatterns = [path("orders", views.place), path("orders/<int:order_id>", views.show)]
