"""What goes wrong in a command, told to the person who typed it."""


class Trouble(Exception):
    """A message that says what happened and what to do; main prints it and exits with 1."""
