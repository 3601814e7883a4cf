"""One-time links: whoever opens one may choose the password of the account that it names.

A link is signed, holds for a quarter of an hour, and dies with the first password that is chosen
or the first sign-in. Nothing of it is stored.
"""

from __future__ import annotations

from django.contrib.auth.models import User
from django.core.signing import BadSignature, TimestampSigner
from django.utils.crypto import constant_time_compare, salted_hmac

from tracing.web.access import LINKS

LIFE_S = 15 * 60
_SALT = "tracing.web.accounts.links"


def make_link(user: User) -> str:
    """Return the path of a link that signs this person in, once."""
    return LINKS + TimestampSigner(salt=_SALT).sign(f"{user.pk}.{_state(user)}").replace(":", "~")


def open_link(token: str) -> User | None:
    """Return whose link it is; None when it is old, used or not ours. One query."""
    signer = TimestampSigner(salt=_SALT)
    try:
        number, _, state = signer.unsign(token.replace("~", ":"), max_age=LIFE_S).partition(".")
        user = User.objects.filter(pk=int(number), is_active=True).first()
    except (BadSignature, ValueError):
        return None
    if user is None or not constant_time_compare(state, _state(user)):
        return None
    return user


def _state(user: User) -> str:
    """Return what changes with the first sign-in or password."""
    what = f"{user.password}|{user.last_login.isoformat() if user.last_login else ''}"
    return salted_hmac(_SALT, what, algorithm="sha256").hexdigest()[:32]


def use_link(user: User, password: str) -> bool:
    """Set the password that was chosen; False when somebody was faster with the same link."""
    before = user.password
    user.set_password(password)
    return User.objects.filter(pk=user.pk, password=before).update(password=user.password) == 1
