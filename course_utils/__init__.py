"""Helpers of the course: what a notebook needs and does not teach."""
