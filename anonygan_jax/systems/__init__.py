"""Systems that can be trained: their networks, losses and gradients."""
