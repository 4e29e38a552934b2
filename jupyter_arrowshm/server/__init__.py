"""The Jupyter server extension: tables and their users over HTTP, live, and removed when nobody has used them."""
