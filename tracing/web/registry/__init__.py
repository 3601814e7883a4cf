"""The REST interface of the built-in registry, as Confluent documents it, under `/registry/`."""
