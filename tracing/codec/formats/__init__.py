"""From a record's bytes to the bytes of JSON, or of text, in which the dialects look.

A new format is a module with `read(schema, body) -> bytes` and a line in `formats.content`.
Nothing here asks a registry: schemas are handed in, and a record whose schema is not known yet
is an error that says so.
"""
