"""What every Kanava service needs and none owns: money, ids, time, the database edge, the bus and its contracts.

A thing moves here when a second service needs it, not before. Nothing here knows a service.
"""
