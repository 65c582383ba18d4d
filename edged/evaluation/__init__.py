"""How good recognition is on labelled data: values in, figures with their intervals out."""
