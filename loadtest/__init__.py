"""Many real Socket.IO users for Locust; start it with `locust -f loadtest/socketio.py`. See docs/loadtest.md."""
