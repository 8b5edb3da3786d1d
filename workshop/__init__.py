"""What authors of the course run and no reader needs: it runs notebooks, ships models, measures and draws the data set."""
