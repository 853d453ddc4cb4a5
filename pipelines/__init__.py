"""The DVC stages: each reads the settings of a profile and calls the harness."""
