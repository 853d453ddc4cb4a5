"""The generators: one file for each published method, and the layers they share. Nothing here knows the harness."""
