"""Questions about a table of a store, answered for the server, the widget and the command line."""
