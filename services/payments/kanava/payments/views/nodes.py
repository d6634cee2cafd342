"""The package node of a line, for what is asked of single lines; sums of runs by node stand in `node_use`."""

BY_NODE = ("fee", "client_fee", "voucher")
"""Components whose lines come from reports, which name a package node."""

NODE_OF_LINE = """
LEFT JOIN LATERAL (
    SELECT v.node FROM visit v WHERE v.production_id = l.source AND v.recorded_from < CASE l.kind
        WHEN 'refund' THEN (
            SELECT max(p.cut_off) FROM run p JOIN line e ON e.run_id = p.run_id
            WHERE p.area = r.area AND p.cut_off < r.cut_off AND e.resident_id = l.resident_id
                AND e.component = l.component AND e.kind <> 'refund' AND e.for_month = l.for_month
                AND e.unit_id = l.unit_id AND e.source = l.source)
        ELSE r.cut_off END
    ORDER BY v.recorded_from DESC LIMIT 1
) v ON l.component = ANY(%(by_node)s)
"""
"""The node `v.node` of the report of a line `l` as its run `r` knew it; a refund has the node of the line that it takes
back. A report that moved for the same cents has no new line and stays; in `node_use` it has moved. `by_node` are the
components of `BY_NODE`."""
