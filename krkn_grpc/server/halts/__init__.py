"""HaltService: makes, lists and deletes halts, and says which targets are halted."""
