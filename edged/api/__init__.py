"""The recognition API, version 2: what is asked and answered, and who may. Pure: no input or output."""
