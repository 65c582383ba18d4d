"""Threads, slots and queues: who waits for whom, and where a frame may be dropped."""
