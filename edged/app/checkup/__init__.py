"""What `edged doctor` looks at: each section is a module, each check independent and never raising."""
