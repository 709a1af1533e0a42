"""What goes wrong in a command, told to the person who typed it."""


class Trouble(Exception):
    """A message that says what happened and what to do; main prints it and exits with `exit_code`."""

    exit_code = 1


class Unreachable(Trouble):
    """The API could not be asked, so nothing is known of what it would have said."""

    exit_code = 2
