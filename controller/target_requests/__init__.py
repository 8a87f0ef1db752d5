"""Answers a KrknTargetRequest with the clusters of this service, and completes it."""
