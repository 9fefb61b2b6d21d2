"""The cost J and its derivatives, as sums over blocks of rows."""
