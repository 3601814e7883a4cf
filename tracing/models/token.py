"""Tokens with which scripts sign in to `/api/`."""

from __future__ import annotations

import hashlib
import secrets

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """A script's token: only its hash is kept, so it is shown once and never again."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Call it what it is on the admin's pages."""

        verbose_name = "API token"

    def __str__(self) -> str:
        """Return what the token is for."""
        return self.name

    @classmethod
    def issue(cls, *, user_id: int, name: str) -> str:
        """Store a new token and return its text: the only time anybody sees it."""
        text = f"ev_{secrets.token_urlsafe(32)}"
        cls.objects.create(user_id=user_id, name=name, sha256=cls.digest(text))
        return text

    @staticmethod
    def digest(text: str) -> str:
        """Return what is stored of a token."""
        return hashlib.sha256(text.encode()).hexdigest()
