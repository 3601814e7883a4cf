"""Django's admin pages: people and roles as Django has them, and the tokens of scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from tracing.models import ApiToken

if TYPE_CHECKING:
    from django.http import HttpRequest


admin.site.site_header = "eventviz"
admin.site.site_title = "eventviz"
admin.site.index_title = "Administration"
admin.site.site_url = "/flows/"


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Shows tokens and takes them back; `manage.py token` issues them."""

    list_display = ("name", "user", "created_at")
    list_select_related = ("user",)
    fields = ("name", "user", "created_at")
    readonly_fields = ("created_at",)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Refuse: a token made here could not be shown."""
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: ApiToken | None = None,  # noqa: ARG002
    ) -> bool:
        """Refuse: a token is taken back, never handed on."""
        return False
