"""Why two Avro schemas do not fit: the verdict is Apache's library's, the words are ours. Pure.

`avro.compatibility` says which types fail, and not which field for which reason. So it is asked
about the whole, then about the parts of what failed, down to the part that is to blame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType

from tracing.schemas.parsing import as_avro

if TYPE_CHECKING:
    from tracing.schemas.compatibility import Candidate
    from tracing.schemas.registry import Level


def reasons(level: Level, new: Candidate, old: Candidate) -> list[str]:
    """Return why `new` may not follow `old`, nothing when it may. Raises BadSchemaError."""
    newer, older = as_avro(new.text, new.built_on), as_avro(old.text, old.built_on)
    found: list[str] = []
    if level.backward:
        found += _Blame(reader=new.label, writer=old.label, reader_is_new=True).of(newer, older)
    if level.forward:
        found += _Blame(reader=old.label, writer=new.label, reader_is_new=False).of(older, newer)
    return found


def can_read(reader: Any, writer: Any) -> bool:
    """Tell whether whoever reads with one type understands all data written with the other."""
    checker = ReaderWriterCompatibilityChecker()  # type: ignore[no-untyped-call]
    result = checker.get_compatibility(reader, writer)
    return result.compatibility is SchemaCompatibilityType.compatible


class _Blame:
    """One direction: why data of `writer` cannot be read with `reader`, as people call them."""

    def __init__(self, *, reader: str, writer: str, reader_is_new: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._reader_is_new = reader_is_new
        self._seen: set[tuple[int, int]] = set()

    def of(self, reader: Any, writer: Any) -> list[str]:
        """Return the reasons in the order of the fields."""
        if can_read(reader, writer):
            return []
        why = self._why(reader, writer, "")
        return why or [f"Who reads with {self._reader} cannot read data of {self._writer}."]

    def _why(self, reader: Any, writer: Any, path: str) -> list[str]:
        pair = (id(reader), id(writer))
        if pair in self._seen or can_read(reader, writer):
            return []
        self._seen.add(pair)
        if "union" in {reader.type, writer.type}:
            return self._union(reader, writer, path)
        if reader.type != writer.type:
            return [
                self._says(
                    path, f"is {type_words(writer)}, which cannot be read as {type_words(reader)}"
                )
            ]
        if reader.type == "record":
            return self._name(reader, writer, path) + self._fields(reader, writer, path)
        if reader.type == "array":
            return self._why(reader.items, writer.items, f"{path}[]")
        if reader.type == "map":
            return self._why(reader.values, writer.values, f"{path}{{}}")
        if reader.type == "enum":
            return self._name(reader, writer, path) + self._symbols(reader, writer, path)
        if reader.type == "fixed":
            sizes = f"has {writer.size} bytes, and {reader.size} are expected"
            wrong = [self._says(path, sizes)] if reader.size != writer.size else []
            return self._name(reader, writer, path) + wrong
        return []

    def _fields(self, reader: Any, writer: Any, path: str) -> list[str]:
        found = []
        there = {field.name: field for field in writer.fields}
        for field in reader.fields:
            place = f"{path}.{field.name}" if path else field.name
            names = (field.name, *field.props.get("aliases", ()))
            other = next((there[name] for name in names if name in there), None)
            if other is not None:
                found += self._why(field.type, other.type, place)
            elif not field.has_default:
                found.append(self._missing(place))
        return found

    def _missing(self, place: str) -> str:
        if self._reader_is_new:
            return (
                f"`{place}` is new and has no default: data of {self._writer} lacks it, and who"
                f" reads with {self._reader} would fail. Give it a default."
            )
        return (
            f"`{place}` is gone and had no default: who reads with {self._reader} needs it, and"
            f" data of {self._writer} would lack it. Keep it, or give it a default first."
        )

    def _name(self, reader: Any, writer: Any, path: str) -> list[str]:
        aliases = reader.props.get("aliases") or ()
        if reader.name == writer.name or writer.fullname in aliases:
            return []
        said = f"is named {writer.fullname}, and {reader.fullname} is expected: use an alias"
        return [self._says(path, said)]

    def _symbols(self, reader: Any, writer: Any, path: str) -> list[str]:
        lacking = [one for one in writer.symbols if one not in set(reader.symbols)]
        if not lacking:
            return []
        listed = ", ".join(lacking[:10]) + (", …" if len(lacking) > 10 else "")
        said = f"may be {listed}, which {self._reader} does not know: give the enum a default"
        return [self._says(path, said)]

    def _union(self, reader: Any, writer: Any, path: str) -> list[str]:
        found: list[str] = []
        for branch in writer.schemas if writer.type == "union" else [writer]:
            if can_read(reader, branch):
                continue
            wanted = reader.schemas if reader.type == "union" else [reader]
            # With one of the same kind, what differs within it is the reason.
            alike = [one for one in wanted if one.type == branch.type]
            inner = self._why(alike[0], branch, path) if len(alike) == 1 else []
            known = type_words(reader)
            found += inner or [
                self._says(path, f"may be {type_words(branch)}, which cannot be read as {known}")
            ]
        return found

    def _says(self, path: str, what: str) -> str:
        subject = f"`{path}`" if path else "The schema"
        return f"{subject} of {self._writer} {what} (read with {self._reader})."


def type_words(schema: Any) -> str:
    """Return a type in a few words."""
    if schema.type == "union":
        return " or ".join(type_words(one) for one in schema.schemas[:6])
    name = getattr(schema, "fullname", "")
    return f"{schema.type} {name}" if name and name != schema.type else str(schema.type)
