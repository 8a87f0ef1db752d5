"""What tests of several parts share: starting things, and waiting for conditions."""
