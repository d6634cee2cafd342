"""SQL that reads, by family; nothing here decides or writes."""
