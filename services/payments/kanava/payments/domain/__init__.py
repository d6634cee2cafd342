"""Pure rules of the money: no I/O, nothing async, cents in and cents out."""
