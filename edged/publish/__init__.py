"""The sinks: the only place that speaks to brokers and receivers."""
