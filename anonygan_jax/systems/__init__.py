"""What can be trained: networks, losses and what one step does with them."""
