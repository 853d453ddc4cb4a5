"""Measuring whether a generated image keeps the identity and shows the target view."""
