"""Any process: the store, its locks, and the Arrow files in it. Nothing here needs Jupyter or a data frame library."""
