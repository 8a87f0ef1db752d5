"""What stands in for a node: kwok plays the pods by `stages`, and `kubelet` serves their logs."""
