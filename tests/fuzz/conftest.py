"""Fixtures of the tests in Julia: its program, and a store for both languages."""

from __future__ import annotations

import julia.conftest

julia_program = julia.conftest.julia_program
directory = julia.conftest.directory
