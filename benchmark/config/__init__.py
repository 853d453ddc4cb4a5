"""Settings, and the options of the command line that choose them."""
