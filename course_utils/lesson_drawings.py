"""The drawings of the lessons: one function for each, which shows it below the cell that calls it."""
