"""Memory of the functions in MB, as template.yaml sets it; a test compares the two."""

DISPATCHER_MB = 512
PLANNER_MB = 512
TICK_MB = 1_769
