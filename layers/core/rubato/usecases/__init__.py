"""One verb per file. Speaks to the world only through rubato.ports."""
