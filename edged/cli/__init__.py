"""The commands, a module each; heavy imports are made inside them."""
