"""``jupyter arrowshm`` and what it calls."""
