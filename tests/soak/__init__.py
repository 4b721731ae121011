"""The soak: `make soak` kills parts of the product while people use it; the suite checks its checks."""
