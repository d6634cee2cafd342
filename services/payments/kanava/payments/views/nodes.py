"""The package node of a line, for what is asked of single lines; sums of runs by node stand in `node_use`."""

BY_NODE = ("fee", "client_fee", "voucher")
"""Components whose lines come from reports, which name a package node."""

NODE_OF_LINE = """
LEFT JOIN LATERAL (
    SELECT v.node FROM visit v WHERE v.production_id = l.source AND v.recorded_from < CASE l.kind
        WHEN 'refund' THEN (SELECT max(p.cut_off) FROM run p WHERE p.area = r.area AND p.cut_off < r.cut_off)
        ELSE r.cut_off END
    ORDER BY v.recorded_from DESC LIMIT 1
) v ON l.component = ANY(%(by_node)s)
"""
"""The node `v.node` of the report of a line `l` as its run `r` knew it; a refund has the node of what it takes back.
`by_node` are the components of `BY_NODE`."""
