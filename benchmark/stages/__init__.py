"""Stages of the pipeline and actions of the command line, one module for each."""
