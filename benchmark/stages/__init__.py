"""What the pipeline and the command line do, one module for each stage."""
