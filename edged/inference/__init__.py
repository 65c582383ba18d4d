"""The models: the only place that knows the runtime, files of weights and tensors."""
