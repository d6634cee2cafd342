"""The registry: who may produce what, and on which terms.

It owns packages, documents, prices, schemes, producers, units and contracts. It never knows a resident, never
moves money, and hears no other service.
"""
