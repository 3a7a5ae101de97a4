"""What every performance claim is measured with."""
