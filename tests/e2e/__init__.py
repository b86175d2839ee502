"""The whole system with real clients: python-socketio, Node's socket.io-client, Chromium."""
