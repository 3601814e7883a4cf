"""Type names as clauses: `StockReserved` is "the stock was reserved".

By general rules for the names that producers give (CamelCase, dotted, snake or kebab case, with
namespaces and versions), never by a list of somebody's events. A name that does not read as a
noun and a participle stays as it is.
"""

from __future__ import annotations

import functools
import re

import msgspec

_MAX_NAME = 60
_VERSION = re.compile(r"[._:/-]?v\d+(\.\d+)*$", re.I)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_a-zA-Z]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Verbs whose participle says what the subject did itself; all others say what was done to it.
_ACTIVE = _set(
    "failed succeeded expired arrived happened occurred ended finished completed started begun"
    " changed joined departed returned errored elapsed crashed appeared disappeared"
)
_IRREGULAR = _set(
    "sent paid made built sold bought held kept found lost left met put read run set shut split"
    " taken given written withdrawn drawn begun chosen frozen known shown thrown broken spent told"
    " brought caught dealt fed led lent won bound rebuilt overridden undone done seen"
)
# They end like participles, but are none.
_NOUNS = _set("feed need seed speed bed shed embed breed weed exceed proceed bleed red")


class Clause(msgspec.Struct, frozen=True):
    """A type's name taken apart: `stock`, `was`, `reserved`; without a verb only `name` is set."""

    name: str
    subject: str = ""
    auxiliary: str = ""
    verb: str = ""

    @property
    def sentence(self) -> str:
        """Return the beginning of a sentence: `Stock was reserved`."""
        if not self.verb:
            return self.name
        return f"{self.subject[:1].upper()}{self.subject[1:]} {self._predicate}"

    @property
    def clause(self) -> str:
        """Return it within a sentence: `the stock was reserved`, or the bare name."""
        return f"the {self.subject} {self._predicate}" if self.verb else self.name

    @property
    def bare(self) -> str:
        """Return it as a label: `payment failed`, `stock reserved`, or the bare name."""
        return f"{self.subject} {self.verb}" if self.verb else self.name

    @property
    def _predicate(self) -> str:
        return f"{self.auxiliary} {self.verb}".strip()


@functools.lru_cache(maxsize=2_000)
def clause_of(event_type: str) -> Clause:
    """Take a type's name apart."""
    flat = " ".join(event_type.split())
    name = flat if len(flat) <= _MAX_NAME else f"{flat[: _MAX_NAME - 1]}…"
    words = _words(flat)
    if len(words) < 2 or len(flat) > 2 * _MAX_NAME or not _is_participle(words[-1].lower()):
        return Clause(name)
    noun = [word if _is_acronym(word, flat) else word.lower() for word in words[:-1]]
    verb = words[-1].lower()
    plural = re.search(r"[^sui]s$", noun[-1]) is not None
    auxiliary = "" if verb in _ACTIVE else "were" if plural else "was"
    return Clause(name, " ".join(noun), auxiliary, verb)


def _words(event_type: str) -> list[str]:
    """Return the words that tell: the last segment's, with the one before it if it is one word."""
    segments = [part for part in re.split(r"[./:#]+", _VERSION.sub("", event_type)) if part]
    if not segments:
        return []
    words = _WORD.findall(segments[-1])
    if len(words) == 1 and len(segments) > 1:
        words = _WORD.findall(segments[-2]) + words
    return words


def _is_participle(word: str) -> bool:
    return word in _IRREGULAR or (
        len(word) > 3 and word.isascii() and word.endswith("ed") and word not in _NOUNS
    )


def _is_acronym(word: str, whole: str) -> bool:
    return len(word) > 1 and word.isupper() and not whole.isupper()
