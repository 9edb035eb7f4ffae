"""What an operator does with a server's folder: check it, copy it, bring it back."""
