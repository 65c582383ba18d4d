"""Values and errors: the words everything else is written in. Imports nothing else of ours."""
