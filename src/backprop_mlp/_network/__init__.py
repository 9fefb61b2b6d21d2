"""The network: activation functions, layers and losses, as pure functions of theta."""
