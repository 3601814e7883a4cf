"""What is worth telling somebody, once per cause, and how it reaches them."""
