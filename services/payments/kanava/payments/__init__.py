"""payments: the single channel. It keeps each area's account, closes months and pays producers.

It owns money: balances, the ledger, resident lines, statements and payouts. It never knows who a resident is,
never decides a price, a rate or a listing, and never changes what was booked.
"""
