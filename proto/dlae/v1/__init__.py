"""Version 1 of the contract: code generated from the `.proto` files beside it."""
