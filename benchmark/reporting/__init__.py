"""Tables and figures from stored results."""

import logging
import os

os.environ["MPLBACKEND"] = "agg"  # figures go to files; a notebook that started this has a backend of its own
logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells each time that a home cannot be written to
