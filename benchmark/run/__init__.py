"""A run: its folder, what is made there, what each piece depends on, and how it is found again."""
