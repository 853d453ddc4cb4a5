"""How each artefact is made: one module for each row of `benchmark.artifacts.TABLE`, called by `ensure` alone.

A module has `make`, which gets run, artefact and folder, writes into the folder, and returns what it has `Made`; `needs`
where it is made from other artefacts; and `files` where the code of a model counts, too. What a module imports is the
code that its artefacts depend on.
"""
