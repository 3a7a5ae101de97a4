"""What every process needs: bus, messages, configuration, process shell, numbers."""
