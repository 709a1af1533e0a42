"""One file or folder per technology; each implements a port."""
