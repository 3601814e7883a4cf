"""Django's admin pages: people and roles as Django has them, tokens, schemas, saga definitions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from tracing.models import ApiToken, SagaDefinition, Subject
from tracing.schemas.current import registry_name
from tracing.web.sagas.present import definition_url
from tracing.web.schemas.present import subject_url

if TYPE_CHECKING:
    from django.db.models import QuerySet
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


@admin.register(Subject)
class SubjectAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists the registry's subjects and leads to their pages, where they are changed."""

    list_display = ("name", "type", "latest", "count", "changed_at")
    search_fields = ("name",)
    ordering = ("name",)
    list_per_page = 50
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subject]:
        """Return those of the registry that is set."""
        return super().get_queryset(request).filter(registry=registry_name())

    def view_on_site(self, obj: Subject) -> str:
        """Return the subject's page."""
        return subject_url(obj.name)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Refuse: only the editor checks."""
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: Subject | None = None,  # noqa: ARG002
    ) -> bool:
        """Refuse: another registry decides about what is mirrored here."""
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: Subject | None = None,  # noqa: ARG002
    ) -> bool:
        """Refuse: deleting has two steps and is audited."""
        return False


@admin.register(SagaDefinition)
class SagaDefinitionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Lists the versions of sagas' definitions and leads to the editor, where they are changed."""

    list_display = ("name", "version", "valid_from", "made_by", "made_at", "ended_at")
    search_fields = ("name",)
    ordering = ("name", "-version")
    list_per_page = 50

    def view_on_site(self, obj: SagaDefinition) -> str:
        """Return the editor with this version."""
        return definition_url(obj.name, obj.version)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Refuse: only the editor checks, and shows what a definition would do."""
        return False

    def has_change_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: SagaDefinition | None = None,  # noqa: ARG002
    ) -> bool:
        """Refuse: a version is never overwritten."""
        return False

    def has_delete_permission(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: SagaDefinition | None = None,  # noqa: ARG002
    ) -> bool:
        """Refuse: a version is ended, and stays to be read."""
        return False
