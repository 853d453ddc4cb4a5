"""Figures and losses that are known exactly: what is stored here must come out again.

`frozen/` holds a generator, two small networks and some images of rendered cars. What the suite measures with them
stands in `identity.json` and `fewshot.json`, the losses of every model's first cycles in `losses.json`. `remake.py`
makes all of it.
"""
