"""The machine: its clock, its chance, its service manager, its secrets."""
