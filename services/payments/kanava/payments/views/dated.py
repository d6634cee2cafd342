"""The day to which each entry belongs (value date), as SQL that other views build on."""

DATED_ENTRIES = """
SELECT e.area, e.seq, e.entry_id, e.kind, e.reference, e.booked_at, e.text,
       coalesce(v.value_date, (r.month + interval '1 month' - interval '1 day')::date,
                (e.booked_at AT TIME ZONE 'Europe/Helsinki')::date) AS value_date
FROM entry e
LEFT JOIN entry_value v ON v.area = e.area AND v.seq = e.seq
LEFT JOIN run r ON e.kind IN ('cost', 'reserved', 'reserve_dissolved', 'ceiling') AND r.run_id = e.reference
WHERE e.area = %(area)s
"""
"""Its own day where one was stated; what a run books (costs, reserves, claims above the ceiling) belongs to the last
day of its month; else the day of booking."""
