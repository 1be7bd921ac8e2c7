"""What ships inside the package: embedded weights, each with its card, and the report's template."""
