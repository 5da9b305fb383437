"""One run from start to end, and the plugins it is made of."""
