"""What is kept between runs to save work: never needed, and never believed where it is damaged."""
