"""What authors of the course run and no reader needs: run notebooks, ship models, measure, draw the data set."""
