"""Magics, completion, and what cells show."""
