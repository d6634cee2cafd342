"""Monitoring (seuranta): what producers report, the indicators made of it, and the state of the bus.

It accepts or rejects reported services row by row and says why; it never prices them, never decides about a
producer, and never knows who a resident is.
"""
