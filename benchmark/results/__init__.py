"""What was measured, as records and as stored rows. Tables, figures and comparisons are made from these."""
