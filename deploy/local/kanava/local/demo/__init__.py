"""The demo month: a small month of one area, played through the public interfaces of the four services.

Nothing here opens a database or a topic. Everything goes over HTTP with a token, files too.
"""
