"""The registry's commands, a file for each family: load, decide by the rules of `domain/`, store, emit.

A function takes the open transaction first and knows neither HTTP nor Kafka. It returns what a read returns.
"""
