"""The conventions by which producers write an event's identity; one small module each.

Each module has `read(record, value) -> list[Envelope] | None`: None where the record does not
follow it. A new dialect is a module and a line in `codec.decode`.
"""
