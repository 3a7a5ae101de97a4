"""Health of the processes and of the machine: what is wrong, what to restart, and where alerts go."""
