"""What worker processes may do: little, as they read files of anybody and hold patients' data."""
