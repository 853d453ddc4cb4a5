"""Tasks, their order, and the processes that carry them out."""
