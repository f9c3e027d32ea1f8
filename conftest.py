"""Registers what every session of pytest needs; pytest wants that at the root."""

pytest_plugins = ["tests.requirements_plugin"]
