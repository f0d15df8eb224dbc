"""Clusters and object stores on this machine, and the job on each of them."""
