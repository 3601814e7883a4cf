"""Which topics hold failures or wait for another try: never a target by themselves."""

from __future__ import annotations

import re

# Spring (`-dlt`, `.DLT`, `-retry`, `-retry-1000`), Spring Cloud Stream (`error.x.y`), Uber's style
# and the shop's (`.dlq`, `.retry.1`), SmallRye (`dead-letter-topic-x`).
_SPECIAL = re.compile(
    r"^error\..+\..+|^dead-letter|[._-](?:dlt|dlq|dead-?letters?)$|[._-]retry(?:[._-]\d+)?$", re.I
)


def is_special(topic: str) -> bool:
    """Tell whether a topic is one of dead letters or retries, by its name."""
    return _SPECIAL.search(topic) is not None
