"""What listing does: one function per command, each inside the transaction of its caller."""
