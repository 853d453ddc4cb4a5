"""Whether a model keeps the contract of `ViewModel`: checks on a whole, very short training."""
