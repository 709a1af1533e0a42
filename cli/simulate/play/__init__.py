"""Playing scenarios: a virtual clock through the real use cases and the real store, or the same in real time."""
