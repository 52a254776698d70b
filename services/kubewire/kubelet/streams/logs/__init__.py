"""Reading the log files that runtimes write: one line of CRI's format for each line of a container, or part of one."""
