"""Training any model that fulfils the contract."""
