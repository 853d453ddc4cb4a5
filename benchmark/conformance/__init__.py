"""Checks that a model keeps the contract of `ViewModel`, on a whole, very short training run."""
