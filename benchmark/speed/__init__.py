"""How fast the suite is on the machine at hand, as ratios that hold under noise."""
