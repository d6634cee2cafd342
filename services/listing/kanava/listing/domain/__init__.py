"""The pure rules of listing: identity codes, spans, effect dates, choices. No I/O, nothing async."""
