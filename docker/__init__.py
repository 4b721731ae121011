"""What a deployment in containers needs besides the application."""
