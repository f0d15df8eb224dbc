"""The pictures of docs/tutorial/, drawn by code: python -m tools.drawings docs/tutorial/pictures."""
