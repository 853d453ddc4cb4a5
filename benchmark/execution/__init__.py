"""What is made in which process, and when."""
