"""A discrete-event model of capacity: shards, workers, lateness and cost of a load that no laptop can carry."""
