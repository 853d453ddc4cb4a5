"""Making of artefacts: a module for each row of `benchmark.run.artifacts.TABLE`, called by `ensure` alone.

`make` gets run, artefact and folder, writes into the folder, and returns what it has `Made`. What a module imports is
the code that its artefacts depend on; so modules that only some of them need are kept apart.
"""
