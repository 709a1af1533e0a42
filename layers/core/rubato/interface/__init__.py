"""The doors: the catalog of actions and how HTTP requests reach them."""
