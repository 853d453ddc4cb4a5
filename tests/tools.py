"""Small things that several tests need."""

from pathlib import Path

from benchmark.conformance.material import RandomBatches, arguments, spec

__all__ = ["PROJECT", "TINY", "RandomBatches", "arguments", "spec"]

PROJECT = Path(__file__).resolve().parent.parent
TINY = Path(__file__).with_name("tiny.py")  # a complete model in one file
