"""What is made of a network's output: labels, cleaned of specks and holes."""
