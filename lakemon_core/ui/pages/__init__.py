"""One module a page: what is read, and what the template is given."""
