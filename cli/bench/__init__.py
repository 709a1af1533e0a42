"""`rubato bench`: what Rubato costs and how fast it is, counted and measured, as JSON lines."""
