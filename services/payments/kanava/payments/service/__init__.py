"""One function for each command of payments, by family. Each takes an open transaction, the command and now."""
