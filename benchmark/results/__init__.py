"""Results as records and as stored rows, from which tables, figures and comparisons are made."""
