"""`python -m kanava.local`: the command line behind ./kanava."""

from kanava.local.cli import main

main()
