"""SQL that writes, by family. Locks are always taken in this order, so that nobody waits in a circle:

1. the bulk lock (feed files, closed units, revoked producers): one at a time;
2. the advisory lock of units: exclusive when the registry closes one or sets its capacity, shared by a
choice;
3. rows of residents;
4. rows of units (their counters), in order of id, the last before the commit.
"""
