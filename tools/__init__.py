"""Developers' programs, each run by `python -m tools.NAME` in a clone of the project; nothing that is installed."""
