"""The shop's page: place an order, and watch what it sets in motion."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from tracing.demo import counter
from tracing.demo.orchestrator.plan import answers
from tracing.demo.present import SOCKET, order_context
from tracing.demo.scenarios import CHOREOGRAPHED, GROUPS, PLAYS, Pattern, Scenario
from tracing.demo.services import SERVICES
from tracing.domain.errors import EventvizError
from tracing.domain.text import clean
from tracing.web import access
from tracing.web.query import address

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)

UNKNOWN: Final = "Pick what shall happen to the order."
# What the page asks after an order was placed: is it there, or not?
WAIT: Final = {
    "type": "StockReserved",
    "fail": "StockReservationFailed",
    "timeout_ms": "5000",
}
ONLY_CHOREOGRAPHED: Final = "That happens by choreography only: it is picked now."
AWAY: Final = "Kafka does not answer, so the order was not placed. Your choice is kept: try again."


@require_http_methods(["GET", "HEAD", "POST"])
def shop(request: HttpRequest) -> HttpResponse:
    """Show the form, beside it the visitor's order; POST places one."""
    return _place(request) if request.method == "POST" else _page(request)


def _page(
    request: HttpRequest,
    *,
    picked: str = "",
    pattern: str = "",
    error: str = "",
    status: int = 200,
) -> HttpResponse:
    asked = request.GET
    flow, order = (clean(asked.get(name, "")) for name in ("flow", "order"))
    context: dict[str, Any] = {
        "groups": {name: plays.items() for name, plays in GROUPS.items()}.items(),
        "choreographed": CHOREOGRAPHED,
        "picked": picked or asked.get("scenario", Scenario.FINE),
        "patterns": list(Pattern),
        "pattern": pattern or asked.get("pattern", Pattern.CHOREOGRAPHY),
        "error": error,
        "services": SERVICES,
        "decisions": answers(),
        "can_order": access.has_role(request.user, access.Role.OPERATOR),
        "form_url": request.get_full_path(),
        "socket": SOCKET,
        "gateway_up": counter.is_gateway_up(),
    }
    if flow:
        context |= order_context(flow, order_id=order)
        context["wait"] = address("/api/wait", WAIT | {"match": f"correlation_id:{flow}"})
    context["asked"] = {"order": order, "flow": flow}
    return render(request, "tracing/shop.html", context, status=status)


def _place(request: HttpRequest) -> HttpResponse:
    if not access.has_role(request.user, access.Role.OPERATOR):
        raise PermissionDenied
    picked = request.POST.get("scenario", "")
    pattern = request.POST.get("pattern", Pattern.CHOREOGRAPHY)
    if picked not in PLAYS or pattern not in set(Pattern):
        return _page(request, error=UNKNOWN, status=400)
    if picked in CHOREOGRAPHED and pattern != Pattern.CHOREOGRAPHY:
        return _page(request, picked=picked, error=ONLY_CHOREOGRAPHED, status=400)
    if picked == Scenario.GATEWAY_DOWN:
        counter.turn_gateway(on=False)
    try:
        placed = counter.place(Scenario(picked), Pattern(pattern))
    except EventvizError as error:
        log.warning("An order could not be placed: %s", error)
        return _page(request, picked=picked, pattern=pattern, error=AWAY, status=503)
    query = {
        "order": placed.order_id,
        "flow": placed.correlation_id,
        "scenario": picked,
        "pattern": pattern,
    }
    return HttpResponseRedirect(address("/shop/", query), status=303)


@require_POST
def gateway(request: HttpRequest) -> HttpResponse:
    """Switch the bank's gateway on or off, and go back to the shop."""
    if not access.has_role(request.user, access.Role.OPERATOR):
        raise PermissionDenied
    counter.turn_gateway(on=request.POST.get("on") == "1")
    query = {name: request.POST.get(name, "") for name in ("order", "flow")}
    return HttpResponseRedirect(address("/shop/", query), status=303)
