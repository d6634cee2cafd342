"""Listing (listautuminen): residents, their identity vault, where each is listed, and by what right.

Owns identity (HETU, name, address): sealed in one table, never said to anybody else. Everyone else knows a
pseudonymous resident id. It never moves money and never decides who may produce.
"""
