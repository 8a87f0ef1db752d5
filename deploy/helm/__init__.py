"""The Helm chart, generated from the kustomizations of `deploy`, and how it is packaged."""
