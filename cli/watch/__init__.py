"""A job's tempo, live in the terminal.

history (pure: from the API's answers to drawable series), observer (what to ask for, and what is new), command.
"""
