"""Have the numbers moved? Two recorded results against each other, by the spread between training seeds."""
