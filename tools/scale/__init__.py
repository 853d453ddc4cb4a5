"""Memory that each stage takes as the data grows. It takes minutes and is run by hand.

python -m tools.scale --images 1000 10000 50000
"""
