"""Pure rules: no network, no clock reads, no logging. Imports nothing of the other packages."""
