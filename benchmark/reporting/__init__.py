"""Tables and figures from stored results."""

import os

os.environ["MPLBACKEND"] = "agg"  # figures go to files; a notebook that started this has a backend of its own
