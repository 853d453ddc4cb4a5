"""The harness: data, training, evaluation and reports. Nothing in it knows a particular model."""
