"""The pictures, in the form of scikit-learn's Displays."""
