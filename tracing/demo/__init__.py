"""A small web shop of five services that know each other only through Kafka.

It is written like the services of any tutorial and uses nothing of eventviz but its Kafka client:
what the pages show of it, they have read from the topics like anybody else's events.
"""
