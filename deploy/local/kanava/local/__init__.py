"""The platform on one machine: PostgreSQL, Kafka, the issuer, the services and the command line.

It starts and stops processes and prints what happened. It never holds a rule of the field and never
writes into a service's tables.
"""
