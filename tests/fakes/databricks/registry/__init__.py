"""Registered models of Unity Catalog and the files they are made of."""

from .models import Models

__all__ = ["Models"]
